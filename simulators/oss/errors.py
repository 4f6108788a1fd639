"""The error answers of Object Storage Service: an HTTP status and a small XML document with a stable code."""

import secrets
from xml.sax.saxutils import escape


class OssError(Exception):
    """A refusal as OSS words it. `details` become further elements of the XML."""

    def __init__(self, status: int, code: str, message: str, **details: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def to_xml(self, request_id: str) -> bytes:
        """The body of the answer."""
        rows = {"Code": self.code, "Message": self.message, "RequestId": request_id, **self.details}
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in rows.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()


def new_request_id() -> str:
    """A request id of the length that OSS uses: 24 hexadecimal digits."""
    return secrets.token_hex(12).upper()


def no_such_bucket(bucket: str) -> OssError:
    """404 for a bucket that nobody created."""
    return OssError(404, "NoSuchBucket", "The specified bucket does not exist.", BucketName=bucket)


def no_such_key(key: str) -> OssError:
    """404 for an object that is not there."""
    return OssError(404, "NoSuchKey", "The specified key does not exist.", Key=key)


def no_such_upload(upload_id: str) -> OssError:
    """404 for a multipart upload that was completed, aborted or never begun."""
    return OssError(404, "NoSuchUpload", "The specified multipart upload does not exist.", UploadId=upload_id)


def invalid_argument(message: str) -> OssError:
    """400 for a value that cannot be used."""
    return OssError(400, "InvalidArgument", message)
