"""A vendor's card or server by GM/T 0018: keys that never leave it, named by slot, its random numbers, SM4 by handle.

`SdfDevice` is what the standard promises of every device. `sdf_engine` offers it as engine for keys from outside.
A slot has a signing and an encryption pair; its password opens both, and the right is given back after each use.
"""

import ctypes
import hmac
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes import c_void_p

from crypto.errors import EncodingRefused, EngineUnavailable, KeyRefused
from crypto.provider import KEY_SIZE, USER_ID
from crypto.providers import sdf_library as raw
from crypto.providers.sdf_library import Refused, SdfLibrary
from crypto.sm2 import curve
from crypto.sm2.encoding import CIPHERTEXT_HEAD
from crypto.sm2.identity import message_digest
from crypto.sm3 import DIGEST_SIZE, sm3

_BLOCK = 16
# The standard names no limit for one call; 16 KiB pass through every driver that we read of.
_PIECE = 16 * 1024
_PUBLIC_ROOM, _SIGNATURE_ROOM = 132, 128
_ENCRYPT_TRIES = 16
_KEY_CIPHERTEXT = CIPHERTEXT_HEAD + KEY_SIZE


class SdfDevice:
    """One device. Threads may share it: each call takes a session of its own, which is used again afterwards."""

    def __init__(self, library: str, passwords: Mapping[int, bytes]) -> None:
        """`passwords` by slot. Raises `EngineUnavailable` when the library or the device is not there."""
        self.library = SdfLibrary(library)
        self._passwords = dict(passwords)
        self._sessions: queue.SimpleQueue[c_void_p] = queue.SimpleQueue()
        try:
            self._device: c_void_p | None = self.library.handle("OpenDevice")
        except Refused as refused:
            raise EngineUnavailable(f"the SDF device does not open: {refused}") from None
        try:
            self.name = self._read_name()
        except EngineUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Close all sessions and the device; afterwards nothing may be called."""
        while not self._sessions.empty():
            self.library.call("CloseSession", self._sessions.get_nowait())
        if self._device is not None:
            self.library.call("CloseDevice", self._device)
            self._device = None

    @contextmanager
    def session(self) -> Iterator[c_void_p]:
        """A session for one use. After an error it is closed: its state is not known."""
        if self._device is None:
            raise EngineUnavailable("the SDF device was closed")
        try:
            session = self._sessions.get_nowait()
        except queue.Empty:
            session = self.library.handle("OpenSession", self._device)
        try:
            yield session
        except BaseException:
            self.library.call("CloseSession", session)
            raise
        self._sessions.put(session)

    def random_bytes(self, count: int) -> bytes:
        """From the device's generator (§6.2.6): a noise source for `randomness`. Raises `EngineUnavailable`."""
        with self.session() as session:
            result = ctypes.create_string_buffer(count)
            try:
                self.library.call("GenerateRandom", session, count, result)
            except Refused as refused:
                raise EngineUnavailable(
                    f"SDF device {self.name} gives no random numbers: {refused}"
                ) from None
            return result.raw

    def sign_key(self, slot: int) -> bytes:
        """The public half of the signing pair, 64 bytes. Raises `KeyRefused` for an empty slot."""
        return self._export("ExportSignPublicKey_ECC", slot)

    def encryption_key(self, slot: int) -> bytes:
        """The public half of the encryption pair, 64 bytes. Raises `KeyRefused` for an empty slot."""
        return self._export("ExportEncPublicKey_ECC", slot)

    def sign(self, slot: int, message: bytes, user_id: bytes = USER_ID) -> bytes:
        """r ‖ s over SM3(Z_A ‖ message) by the slot's signing key. Raises `KeyRefused`: slot or password is wrong."""
        digest = message_digest(self.sign_key(slot), message, user_id)
        result = ctypes.create_string_buffer(_SIGNATURE_ROOM)
        with self._private_use(slot) as session:
            self.library.call("InternalSign_ECC", session, slot, digest, len(digest), result)
        return raw.signature_from_sdf(result.raw)

    def verify(self, public: bytes, digest: bytes, signature: bytes) -> bool:
        """Whether a signature over a digest is genuine."""
        if not curve.is_point(public) or not curve.is_signature(signature):
            return False
        key, wide = raw.public_to_sdf(public), raw.signature_to_sdf(signature)
        try:
            with self.session() as session:
                self.library.call("ExternalVerify_ECC", session, raw.SM2_SIGN, key, digest, len(digest), wide)
        except Refused:
            return False
        return True

    def encrypt(self, public: bytes, plaintext: bytes) -> bytes:
        """C1 ‖ C3 ‖ C2. Raises `KeyRefused` for what is no point, `EngineUnavailable` when the device refuses."""
        curve.check_public(public)
        for _ in range(_ENCRYPT_TRIES):
            ciphertext = self._encrypt_once(raw.public_to_sdf(public), plaintext)
            # GB/T 32918.4 §6.1, A5: a key stream of zeros is drawn again, whether or not the device knows.
            if ciphertext[CIPHERTEXT_HEAD:] != plaintext:
                return ciphertext
        raise EngineUnavailable(f"SDF device {self.name} does not encrypt: what it gives is the plaintext")

    @contextmanager
    def data_key(self, slot: int, ciphertext: bytes) -> Iterator["SdfKey"]:
        """An SM4 key enveloped to the slot, opened inside the device. Raises `KeyRefused`."""
        with self._private_use(slot) as session:
            sealed = raw.cipher_to_sdf(ciphertext)
            handle = self.library.handle("ImportKeyWithISK_ECC", session, slot, sealed)
            try:
                yield SdfKey(self.library, session, handle)
            finally:
                self.library.call("DestroyKey", session, handle)

    def envelope(self, slot: int, key: bytes) -> bytes:
        """`key` (whole blocks) for this slot only: an SM4 key under SM2, an iv, and `key` ‖ SM3(`key`) under that key."""
        wrapped = self.encrypt(self.encryption_key(slot), self.random_bytes(KEY_SIZE))
        iv = self.random_bytes(_BLOCK)
        with self.data_key(slot, wrapped) as data_key:
            return wrapped + iv + data_key.cbc_encrypt(iv, key + sm3(key))

    def open_envelope(self, slot: int, envelope: bytes) -> bytes:
        """What was enveloped. Raises `KeyRefused` when slot, password or envelope is another."""
        wrapped, rest = envelope[:_KEY_CIPHERTEXT], envelope[_KEY_CIPHERTEXT:]
        iv, sealed = rest[:_BLOCK], rest[_BLOCK:]
        if len(sealed) <= DIGEST_SIZE or len(sealed) % _BLOCK or not curve.is_point(wrapped[:64]):
            raise KeyRefused(f"SDF device {self.name}, slot {slot}: this is no envelope")
        with self.data_key(slot, wrapped) as data_key:
            content = data_key.cbc_decrypt(iv, sealed)
        key, digest = content[:-DIGEST_SIZE], content[-DIGEST_SIZE:]
        if not hmac.compare_digest(digest, sm3(key)):
            raise KeyRefused(f"SDF device {self.name}, slot {slot}: the envelope was altered")
        return key

    @contextmanager
    def _private_use(self, slot: int) -> Iterator[c_void_p]:
        """A session with the right to the slot's private keys. Refusals become `KeyRefused`."""
        password = self._passwords.get(slot, b"")
        try:
            with self.session() as session:
                self.library.call("GetPrivateKeyAccessRight", session, slot, password, len(password))
                try:
                    yield session
                finally:
                    self.library.call("ReleasePrivateKeyAccessRight", session, slot)
        except Refused as refused:
            raise KeyRefused(f"SDF device {self.name}, slot {slot}: {refused}") from None

    def _encrypt_once(self, key: bytes, plaintext: bytes) -> bytes:
        result = ctypes.create_string_buffer(raw.cipher_room(len(plaintext)))
        try:
            with self.session() as session:
                self.library.call(
                    "ExternalEncrypt_ECC", session, raw.SM2_ENCRYPT, key, plaintext, len(plaintext), result
                )
        except Refused as refused:
            raise EngineUnavailable(f"SDF device {self.name} does not encrypt with SM2: {refused}") from None
        return raw.cipher_from_sdf(result.raw)

    def _export(self, function: str, slot: int) -> bytes:
        result = ctypes.create_string_buffer(_PUBLIC_ROOM)
        try:
            with self.session() as session:
                self.library.call(function, session, slot, result)
            public = raw.public_from_sdf(result.raw)
        except (Refused, EncodingRefused) as refused:
            raise KeyRefused(f"SDF device {self.name}, slot {slot}: {refused}") from None
        curve.check_public(public)
        return public

    def _read_name(self) -> str:
        info = raw.DeviceInfo()
        try:
            with self.session() as session:
                self.library.call("GetDeviceInfo", session, ctypes.byref(info))
        except Refused as refused:
            raise EngineUnavailable(f"the SDF device does not say what it is: {refused}") from None
        name, serial = (
            bytes(field).rstrip(b"\0 ").decode("ascii", "replace") for field in (info.name, info.serial)
        )
        return f"{name} {serial}".strip()


class SdfKey:
    """An SM4 key inside the device, for as long as its session lasts."""

    def __init__(self, library: SdfLibrary, session: c_void_p, handle: c_void_p) -> None:
        self._library, self._session, self._handle = library, session, handle

    def ecb_encrypt(self, data: bytes) -> bytes:
        """Whole blocks, each for itself: for counters only."""
        return self._by_pieces("Encrypt", raw.SM4_ECB, bytes(_BLOCK), data)

    def cbc_encrypt(self, iv: bytes, data: bytes) -> bytes:
        """Whole blocks. Raises `Refused`."""
        return self._by_pieces("Encrypt", raw.SM4_CBC, iv, data)

    def cbc_decrypt(self, iv: bytes, data: bytes) -> bytes:
        """Whole blocks. Raises `Refused`."""
        return self._by_pieces("Decrypt", raw.SM4_CBC, iv, data)

    def _by_pieces(self, function: str, algorithm: int, iv: bytes, data: bytes) -> bytes:
        result = bytearray()
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            made = self._one(function, algorithm, iv, piece)
            # Devices differ in whether they write the next iv back: it is the last block of ciphertext.
            iv = (made if function == "Encrypt" else piece)[-_BLOCK:]
            result += made
        return bytes(result)

    def _one(self, function: str, algorithm: int, iv: bytes, piece: bytes) -> bytes:
        room = ctypes.create_string_buffer(len(piece) + _BLOCK)
        size, vector = ctypes.c_uint(len(room)), ctypes.create_string_buffer(iv, _BLOCK)
        self._library.call(
            function,
            self._session,
            self._handle,
            algorithm,
            vector,
            piece,
            len(piece),
            room,
            ctypes.byref(size),
        )
        if size.value != len(piece):
            raise EngineUnavailable(
                f"the SDF device made {size.value} bytes of {len(piece)}: it pads, which is not asked"
            )
        return room.raw[: size.value]
