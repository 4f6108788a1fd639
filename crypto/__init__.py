"""Chinese national cryptography for CloudFilm: SM3, SM4-GCM, sealed objects, keys.
A leaf that imports nothing of ours, so that it also runs alone on the front encryption server (H2).

Where to start
    `sm3`            digest, HMAC, key derivation
    `provider`       the ports to engines of SM2, SM3, SM4; `providers/` are the engines
    `selection`      which engine serves: the first that proves itself (`self_test`, `sm2.self_test`)
    `sm2/`           the curve, identities, encodings, key exchange
    `sealed_header`  64 bytes that say where a chunk lies; pure arithmetic
    `class_map`      which chunks are head (names, dates, ids) and which are pixel
    `class_keys`     the two keys of an object, derived from its data key, and the commitment to that key
    `sealed_object`  `seal` and `unseal`: a whole stream at constant memory
    `sealed_reader`  any range of a stored object, with both keys or with the pixel key alone
    `keyring`        the platform's port: data keys, fields of the database, blind indexes; `local_keyring` is it on
    `vault/`         system key → pairs and key-encryption keys → keys: made, used, rotated, destroyed (docs/crypto.md)
    `shamir`         shares of a key that people can type; `unsealing` the ways in which the system key comes back

The rules that callers rely on
    Nothing is released before its tag was checked. Verification raises (`errors`), it never returns False.
    A data key belongs to one object. Sealing the same content under its header and key gives the same bytes:
    an upload can resume; other content under them is forbidden, it would repeat GCM nonces.
    The wrapped data key lives outside the object: a rotation never rewrites an image.
"""
