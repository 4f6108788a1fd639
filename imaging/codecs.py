"""Which decoder a transfer syntax needs (PS3.5 §A), and decoding of one frame; never runs outside a limited process
for foreign pixels (decision 14)."""

from typing import Any

import imagecodecs
import numpy as np

HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE})

CODEC_OF_TRANSFER_SYNTAX = {
    IMPLICIT_LE: "raw",
    EXPLICIT_LE: "raw",
    EXPLICIT_BE: "raw",
    "1.2.840.10008.1.2.5": "rle",
    "1.2.840.10008.1.2.4.50": "jpeg",
    "1.2.840.10008.1.2.4.51": "jpeg",
    "1.2.840.10008.1.2.4.57": "jpeg",
    "1.2.840.10008.1.2.4.70": "jpeg",
    "1.2.840.10008.1.2.4.80": "jpegls",
    "1.2.840.10008.1.2.4.81": "jpegls",
    "1.2.840.10008.1.2.4.90": "jpeg2000",
    "1.2.840.10008.1.2.4.91": "jpeg2000",
    "1.2.840.10008.1.2.4.201": "htj2k",
    HTJ2K_LOSSLESS_RPCL: "htj2k",
    "1.2.840.10008.1.2.4.203": "htj2k",
}
# MPEG-2, H.264, HEVC, and their fragmentable forms (PS3.5 §8.2.5 and following).
VIDEO = frozenset(f"1.2.840.10008.1.2.4.{number}{form}" for number in range(100, 109) for form in ("", ".1"))


def encode(pixels: np.ndarray) -> bytes:
    """HTJ2K lossless, RPCL, with TLM and one tile-part per resolution level (design §1). `pixels`: (rows, columns)."""
    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True, tlm=True, tilepart=1))


def decode(data: bytes, frame: dict[str, Any]) -> np.ndarray:
    """One frame as stored samples: (rows, columns) or (rows, columns, 3), 8, 16 or 32 bits, in the frame's signedness."""
    shape = (frame["rows"], frame["columns"]) + ((3,) if frame["samples"] == 3 else ())
    kind = np.dtype(f"{'i' if frame['signed'] else 'u'}{frame['bits_allocated'] // 8}")
    codec = frame["codec"]
    if codec == "raw":
        return _decode_raw(data, frame, shape, kind)
    if codec == "rle":
        planes = np.frombuffer(imagecodecs.dicomrle_decode(data, kind), kind)
        return np.moveaxis(planes.reshape(frame["samples"], *shape[:2]), 0, -1).reshape(shape)
    if codec == "jpeg":
        return _decode_jpeg(data, frame).reshape(shape).astype(kind, copy=False)
    decoders = {
        "htj2k": imagecodecs.htj2k_decode,
        "jpeg2000": imagecodecs.jpeg2k_decode,
        "jpegls": imagecodecs.jpegls_decode,
    }
    if codec not in decoders:
        raise ValueError(f"no decoder for {codec}")
    pixels = np.asarray(decoders[codec](data))
    return pixels.reshape(shape).astype(kind, copy=False)


def _decode_raw(data: bytes, frame: dict[str, Any], shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    if frame.get("big_endian") and kind.itemsize == 1:
        data = np.frombuffer(data, "u2").byteswap().tobytes()
    count = int(np.prod(shape))
    if frame["photometric"] == "YBR_FULL_422" and frame["samples"] == 3:
        # Y Y Cb Cr for two pixels (PS3.3 §C.7.6.3.1.2).
        pairs = np.frombuffer(data, kind, count * 2 // 3).reshape(-1, 4)
        colour = pairs[:, 2:].repeat(2, axis=0)
        return np.column_stack([pairs[:, :2].ravel(), colour]).reshape(shape)
    order = ">" if frame.get("big_endian") else "<"
    samples = np.frombuffer(data, kind.newbyteorder(order), count).astype(kind)
    if frame.get("planar"):
        return np.moveaxis(samples.reshape(3, *shape[:2]), 0, -1)
    return samples.reshape(shape)


def _decode_jpeg(data: bytes, frame: dict[str, Any]) -> np.ndarray:
    head = data[: data.find(b"\xff\xda")]
    # SOF3 (FFC3) is lossless; the 8-bit library knows only baseline and extended.
    if b"\xff\xc3" in head[:1024]:
        return np.asarray(imagecodecs.ljpeg_decode(data))
    if frame["photometric"] == "RGB" and frame["samples"] == 3 and b"Adobe" not in head:
        # The library takes three components that say nothing of themselves for YCbCr: red would be green.
        return np.asarray(imagecodecs.jpeg8_decode(data, colorspace="rgb", outcolorspace="rgb"))
    return np.asarray(imagecodecs.jpeg8_decode(data))
