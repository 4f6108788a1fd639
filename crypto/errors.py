"""The root of every error that `crypto` raises on purpose (a leaf has a root of its own).

CryptoError
├── SealBroken      sealed bytes were altered, cut, swapped or re-headed, or the key is another object's
├── KeyRefused      a key is unknown, unreadable, of the wrong kind, or does not unwrap
├── SourceChanged   what is being sealed is not as long as its header promised
└── SelfTestFailed  an engine does not give the published answers; it must not be used
"""


class CryptoError(Exception):
    """Root. A message names the subject and says what to do; it never contains key material."""


class SealBroken(CryptoError):
    """Sealed bytes, header, place and key do not belong together. Nothing of them was released."""


class KeyRefused(CryptoError):
    """A key or a key file cannot be used; the message says which and why."""


class SourceChanged(CryptoError):
    """The content ended early or went on after the length in the header; seal it again under a new key."""


class SelfTestFailed(CryptoError):
    """A known-answer test failed: the engine is wrong on this machine."""
