"""SM2 around the engines: the curve and its checks, identities, encodings, key exchange (GB/T 32918, GB/T 35276, GM/T 0009).

`curve`        parameters of GB/T 32918.5; is this a point, is this a private key
`identity`     Z_A and the digest that is signed
`encoding`     raw ↔ GM/T 0009 DER of signatures and ciphertexts, C1C3C2 ↔ C1C2C3
`key_encoding` raw ↔ PKCS#8 and SPKI, PEM
`exchange`     key agreement of GB/T 32918.3 with confirmation
"""
