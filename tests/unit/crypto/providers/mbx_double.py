"""A stand-in for Intel's multi-buffer library, for processors that lack its instructions: same calls, lanes and statuses.

It reads and writes through the addresses that the engine gives, so it checks tables, padding, byte orders and statuses;
the arithmetic is by `cryptography` and plain integers. That it behaves as the library does is shown where the processor
has the instructions: the same tests run against both.
"""

import ctypes
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.sm2.curve import A, G, N, P, is_point, point
from crypto.sm2.identity import message_digest
from crypto.sm3 import sm3

Lane = Callable[..., int]
OK, MISMATCH, SIGNATURE, UNSUPPORTED = 0, 1, 8, 10


class MbxDouble:
    """`Functions` of the engine. `faults` maps a function to statuses that it gives once, one call after the other."""

    def __init__(self) -> None:
        self.faults: dict[str, list[int]] = {}
        self.calls: list[str] = []
        self._gcm: dict[int, list[tuple[bytes, bytes, bytearray, bytearray]]] = {}

    def function(self, name: str, arguments: str, result: str) -> Lane:
        work = getattr(self, name.removeprefix("mbx_"))

        def call(*given: object) -> int:
            assert len(given) == len(arguments)
            self.calls.append(name)
            if self.faults.get(name):
                return self.faults[name].pop(0)
            return int(work(*given))

        return call

    def sm2_ecpublic_key_mb8(self, xs, ys, zs, keys, scratch) -> int:
        assert not zs and not scratch
        return _status(8, lambda i: self._public(_at(xs, i), _at(ys, i), _scalar(_at(keys, i))))

    @staticmethod
    def _public(x: int, y: int, key: int) -> int:
        if not key:
            return MISMATCH
        made = multiple(key, G)
        _write(x, made[:32][::-1])
        _write(y, made[32:][::-1])
        return OK

    def sm2_ecdh_mb8(self, shared, keys, xs, ys, zs, scratch) -> int:
        assert not zs and not scratch

        def lane(i: int) -> int:
            other = _read(_at(xs, i), 32)[::-1] + _read(_at(ys, i), 32)[::-1]
            if not is_point(other) or not _scalar(_at(keys, i)):
                return MISMATCH
            _write(_at(shared, i), multiple(_scalar(_at(keys, i)), other)[:32])
            return OK

        return _status(8, lane)

    def sm2_ecdsa_sign_mb8(
        self, rs, ss, ids, id_sizes, texts, sizes, nonces, keys, xs, ys, zs, scratch
    ) -> int:
        assert not zs and not scratch

        def lane(i: int) -> int:
            k, d = _scalar(_at(nonces, i)), _scalar(_at(keys, i))
            if not k or not d:
                return MISMATCH
            e = _digest(i, ids, id_sizes, texts, sizes, xs, ys)
            r = (e + point(multiple(k, G))[0]) % N
            s = pow(1 + d, -1, N) * (k - r * d) % N
            if not r or r + k == N or not s:
                return SIGNATURE
            _write(_at(rs, i), r.to_bytes(32, "big"))
            _write(_at(ss, i), s.to_bytes(32, "big"))
            return OK

        return _status(8, lane)

    def sm2_ecdsa_verify_mb8(self, rs, ss, ids, id_sizes, texts, sizes, xs, ys, zs, scratch) -> int:
        assert not zs and not scratch

        def lane(i: int) -> int:
            r, s = (int.from_bytes(_read(_at(each, i), 32), "big") for each in (rs, ss))
            if not (0 < r < N and 0 < s < N):
                return MISMATCH
            if (r + s) % N == 0:
                return SIGNATURE
            other = _read(_at(xs, i), 32)[::-1] + _read(_at(ys, i), 32)[::-1]
            e = _digest(i, ids, id_sizes, texts, sizes, xs, ys)
            x = _affine(_add(_multiply(s, point(G)), _multiply((r + s) % N, point(other))))[0]
            return OK if (e + x) % N == r else SIGNATURE

        return _status(8, lane)

    def sm3_msg_digest_mb16(self, texts, sizes, digests) -> int:
        return _status(16, lambda i: _write(_at(digests, i), sm3(_read(_at(texts, i), _int_at(sizes, i)))))

    def sm4_set_key_mb16(self, schedule, keys) -> int:
        # The real round keys need not be known: the keys themselves go to their place.
        return _status(16, lambda i: _write(_address(schedule) + 16 * i, _read(_at(keys, i), 16)))

    def sm4_encrypt_ctr128_mb16(self, out, texts, sizes, schedule, counters) -> int:
        return _cipher(out, texts, sizes, schedule, counters, modes.CTR, encrypt=True)

    def sm4_encrypt_cbc_mb16(self, out, texts, sizes, schedule, ivs) -> int:
        return _cipher(out, texts, sizes, schedule, ivs, modes.CBC, encrypt=True)

    def sm4_decrypt_cbc_mb16(self, out, texts, sizes, schedule, ivs) -> int:
        return _cipher(out, texts, sizes, schedule, ivs, modes.CBC, encrypt=False)

    def sm4_gcm_init_mb16(self, keys, nonces, sizes, context) -> int:
        assert context % 64 == 0
        _write(context, b"\xa5" * 4096)  # the caller must wipe it
        self._gcm[context] = [
            (_read(_at(keys, i), 16), _read(_at(nonces, i), _int_at(sizes, i)), bytearray(), bytearray())
            for i in range(16)
        ]
        return OK

    def sm4_gcm_update_aad_mb16(self, texts, sizes, context) -> int:
        for i, lane in enumerate(self._gcm[context]):
            lane[2].extend(_read(_at(texts, i), _int_at(sizes, i)))
        return OK

    def sm4_gcm_encrypt_mb16(self, out, texts, sizes, context) -> int:
        def lane(i: int) -> int:
            key, nonce, aad, tag = self._gcm[context][i]
            encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
            encryptor.authenticate_additional_data(bytes(aad))
            sealed = encryptor.update(_read(_at(texts, i), _int_at(sizes, i))) + encryptor.finalize()
            tag[:] = encryptor.tag
            return _write(_at(out, i), sealed)

        return _status(16, lane)

    def sm4_gcm_decrypt_mb16(self, out, texts, sizes, context) -> int:
        def lane(i: int) -> int:
            key, nonce, aad, tag = self._gcm[context][i]
            sealed = _read(_at(texts, i), _int_at(sizes, i))
            # Counter mode from counter 2; sealing the result again gives the tag that belongs to it.
            start = modes.CTR(nonce + (2).to_bytes(4, "big"))
            plain = Cipher(algorithms.SM4(key), start).decryptor().update(sealed)
            again = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
            again.authenticate_additional_data(bytes(aad))
            again.update(plain)
            again.finalize()
            tag[:] = again.tag
            return _write(_at(out, i), plain)

        return _status(16, lane)

    def sm4_gcm_get_tag_mb16(self, tags, sizes, context) -> int:
        lanes = self._gcm.pop(context)
        return _status(16, lambda i: _write(_at(tags, i), bytes(lanes[i][3])[: _int_at(sizes, i)]))

    def RSA_private_crt_Method(self, bits) -> int:  # noqa: N802 - the library's name
        return bits if bits in (1024, 2048, 3072, 4096) else 0

    def RSA_Method_BufSize(self, method) -> int:  # noqa: N802 - the library's name
        return 1000 + method

    def rsa_private_crt_mb8(self, texts, out, ps, qs, dps, dqs, iqs, bits, method, scratch) -> int:
        assert bits == method
        assert scratch % 64 == 0

        def lane(i: int) -> int:
            p, q, dp, dq, iq = (
                int.from_bytes(_read(_at(each, i), bits // 16), "little") for each in (ps, qs, dps, dqs, iqs)
            )
            text = int.from_bytes(_read(_at(texts, i), bits // 8), "big")
            second = pow(text, dq, q)
            answer = second + q * ((pow(text, dp, p) - second) * iq % p)
            return _write(_at(out, i), answer.to_bytes(bits // 8, "big"))

        return _status(8, lane)


def multiple(scalar: int, public: bytes) -> bytes:
    """kP as 64 bytes, for points other than infinity."""
    x, y = _affine(_multiply(scalar, point(public)))
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


@lru_cache(maxsize=4096)
def _multiply(scalar: int, base: tuple[int, int]) -> tuple[int, int, int]:
    result = (1, 1, 0)
    for bit in f"{scalar:b}":
        result = _add(result, result)
        if bit == "1":
            result = _add(result, (*base, 1))
    return result


def _add(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    """Jacobian coordinates: x = X/Z², y = Y/Z³."""
    (x1, y1, z1), (x2, y2, z2) = one, other
    if not z1 or not z2:
        return other if not z1 else one
    u1, u2 = x1 * z2 * z2 % P, x2 * z1 * z1 % P
    s1, s2 = y1 * z2**3 % P, y2 * z1**3 % P
    if u1 == u2:
        if s1 != s2:
            return (1, 1, 0)
        m, s = (3 * x1 * x1 + A * z1**4) % P, 4 * x1 * y1 * y1 % P
        x = (m * m - 2 * s) % P
        return x, (m * (s - x) - 8 * y1**4) % P, 2 * y1 * z1 % P
    h, r = u2 - u1, s2 - s1
    x = (r * r - h**3 - 2 * u1 * h * h) % P
    return x, (r * (u1 * h * h - x) - s1 * h**3) % P, h * z1 * z2 % P


def _affine(jacobian: tuple[int, int, int]) -> tuple[int, int]:
    x, y, z = jacobian
    inverse = pow(z, -1, P)
    return x * inverse**2 % P, y * inverse**3 % P


def _digest(i: int, ids, id_sizes, texts, sizes, xs, ys) -> int:
    public = _read(_at(xs, i), 32)[::-1] + _read(_at(ys, i), 32)[::-1]
    # The library reads from address 0 where lanes differ in their whole blocks, Z_A included.
    assert len({(_int_at(sizes, lane) + 32) // 64 for lane in range(8)}) == 1
    message = _read(_at(texts, i), _int_at(sizes, i))
    return int.from_bytes(message_digest(public, message, _read(_at(ids, i), _int_at(id_sizes, i))), "big")


def _cipher(out, texts, sizes, schedule, ivs, mode, encrypt: bool) -> int:
    def lane(i: int) -> int:
        size = _int_at(sizes, i)
        if mode is modes.CBC and size % 16:
            return MISMATCH
        if not size:
            return OK
        key, iv = _read(_address(schedule) + 16 * i, 16), _read(_at(ivs, i), 16)
        cipher = Cipher(algorithms.SM4(key), mode(iv))
        step = cipher.encryptor() if encrypt else cipher.decryptor()
        return _write(_at(out, i), step.update(_read(_at(texts, i), size)))

    return _status(16, lane)


def _status(lanes: int, lane: Lane) -> int:
    return sum(lane(i) << (4 * i) for i in range(lanes))


def _address(table: object) -> int:
    return table if isinstance(table, int) else ctypes.addressof(table)  # type: ignore[arg-type]


def _at(table: object, lane: int) -> int:
    place = ctypes.c_uint64.from_address(_address(table) + 8 * lane).value
    assert place, f"lane {lane} has no address"
    return place


def _int_at(table: object, lane: int) -> int:
    return ctypes.c_int.from_address(_address(table) + 4 * lane).value


def _scalar(place: int) -> int:
    return int.from_bytes(_read(place, 32), "little")


def _read(place: int, size: int) -> bytes:
    return ctypes.string_at(place, size)


def _write(place: int, data: bytes) -> int:
    ctypes.memmove(place, data, len(data))
    return OK
