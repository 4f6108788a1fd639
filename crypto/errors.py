"""The root of every error that `crypto` raises on purpose (a leaf has a root of its own).

CryptoError
├── SealBroken        sealed bytes were altered, cut, swapped or re-headed, or the key is another object's
├── KeyRefused        a key is unknown, unreadable, of the wrong kind or state, or does not unwrap
├── SignatureRefused  a signature was not made by this key over this message
├── EncodingRefused   bytes are not the raw, DER or PEM form that they should be
├── InputRefused      an input is too long, too many, empty, or of unequal numbers
├── ShareRefused      a share of a split key is damaged, of another set, or too few came
├── VaultSealed       the system key is not in memory: unseal first
├── RoleRefused       this account may not do this, is locked, or needs a second person
├── AuditUnavailable  the record of uses cannot be written; without it there is no service
├── AuditBroken       the record of uses was changed, cut or rewritten
├── SourceFailed      a noise source or the generator failed its health test; nothing random is given out
├── SourceChanged     what is being sealed is not as long as its header promised, or changed meanwhile
├── NotHandedOver     the next station did not take a sealed file; it stays and is offered again
├── FileRefused       a path cannot be sealed or opened as asked: no regular file, or the target exists
├── ServiceUnavailable the key server is away, closing, or has more work than it takes; later it may go
├── EngineUnavailable this machine cannot run an engine: processor, library or device is missing
└── SelfTestFailed    an engine does not give the published answers; it must not be used
"""


class CryptoError(Exception):
    """Root. A message names the subject and says what to do; it never contains key material."""


class SealBroken(CryptoError):
    """Sealed bytes, header, place and key do not belong together. Nothing of them was released."""


class KeyRefused(CryptoError):
    """A key or a key file cannot be used; the message says which and why."""


class SignatureRefused(CryptoError):
    """A signature does not verify. `index` is its place in a batch."""

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index


class EncodingRefused(CryptoError):
    """Bytes of a key, signature or ciphertext are not of the form they are said to be."""


class InputRefused(CryptoError):
    """An input is outside of what one call takes; the message says the limit."""


class ShareRefused(CryptoError):
    """Shares do not give the key back; the message says which share and why."""


class VaultSealed(CryptoError):
    """The vault holds no system key: nothing below it opens until it is unsealed."""


class RoleRefused(CryptoError):
    """An account lacks the right, is locked out, or the operation waits for a second person."""


class AuditUnavailable(CryptoError):
    """A use of a key could not be recorded, so it did not happen."""


class AuditBroken(CryptoError):
    """A row of the chain of uses does not fit the one before it, or a head that was kept elsewhere."""


class SourceFailed(CryptoError):
    """Randomness failed a health test; everything that needs it stops until a person looks."""


class SourceChanged(CryptoError):
    """The content ended early or went on after the length in the header; seal it again under a new key."""


class ServiceUnavailable(CryptoError):
    """The key server does not answer, closes, or is full. The same request may work later."""


class NotHandedOver(CryptoError):
    """A store or the like did not take a sealed file; the file stays where it is."""


class FileRefused(CryptoError):
    """A path cannot be sealed or opened as asked; nothing was written or deleted. The message says why."""


class EngineUnavailable(CryptoError):
    """An engine cannot run here; the next one is taken."""


class SelfTestFailed(CryptoError):
    """A known-answer test failed: the engine is wrong on this machine."""
