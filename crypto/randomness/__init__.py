"""Random numbers: noise sources, their health tests, an SM3 generator (H2.5).

Where to start
    `sources`   the port to a noise source: the kernel, a device file, a card; `rdseed` the processor, `jitter` its clock
    `health`    the two continuous tests of SP 800-90B §4.4; `startup` the statistical tests of GM/T 0005-2021 at start
    `monitored` a source behind its tests: bytes that were not tested do not leave it
    `sm3_drbg`  the mechanism of GM/T 0105-2021 appendix B, pure arithmetic
    `drbg`      what everyone uses: `Drbg.random_bytes`, for any number of threads and forks
    `assembly`  which sources this machine has

The rules that callers rely on
    Two independent sources or none: each alone would be enough to seed the generator.
    A source that fails once stops the generator for this process, with an alarm; no bytes come out after that.
    What software cannot give (an approved noise chip, a certificate) is told in docs/crypto-roles.md.
"""
