"""Verifies who asks: signature version 1 (HMAC-SHA1) and 4 (HMAC-SHA256), in the header or in the URL (F1).

Source: Aliyun OSS API reference, signature versions 1 and 4. This side follows the description and not the
client library, so that each checks the other.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from simulators.oss.errors import OssError, invalid_argument

ALLOWED_SKEW_SECONDS = 900
LONGEST_URL_SECONDS = 604_800
V4 = "OSS4-HMAC-SHA256"

# Query names that version 1 signs as part of the resource; other names are not covered by the signature.
# fmt: off
_V1_SUBRESOURCES = frozenset(
    {
        "acl", "append", "bucketInfo", "comp", "continuation-token", "cors", "delete", "encryption",
        "lifecycle", "location", "logging", "objectMeta", "partNumber", "policy", "position", "referer",
        "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore",
        "security-token", "sequential", "stat", "status", "symlink", "tagging", "uploadId", "uploads",
        "versionId", "versioning", "versions", "website", "worm", "wormExtend", "wormId",
        "x-oss-ac-forward-allow", "x-oss-ac-source-ip", "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id",
        "x-oss-process", "x-oss-request-payer", "x-oss-traffic-limit",
    }
)
# fmt: on


@dataclass(frozen=True)
class SignedRequest:
    """A request as the signature sees it: header names in lower case, query values decoded."""

    method: str
    bucket: str
    key: str
    headers: Mapping[str, str]
    query: Mapping[str, str]

    def header(self, name: str) -> str:
        """The value of a header, or an empty text."""
        return self.headers.get(name, "")


class Verifier:
    """Knows the secrets, the region of the buckets, and the time."""

    def __init__(
        self, secrets_by_id: Mapping[str, str], region: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._secrets = dict(secrets_by_id)
        self._region = region
        self._clock = clock

    def verify(self, request: SignedRequest) -> str:
        """The access key id that signed. Raises `OssError`: 403, or 400 when the signature cannot be read."""
        authorization = request.header("authorization")
        if authorization.startswith(V4 + " "):
            return self._verify_v4_header(request, authorization[len(V4) + 1 :])
        if authorization.startswith("OSS "):
            return self._verify_v1_header(request, authorization[4:])
        if authorization:
            raise invalid_argument("Authorization header is invalid.")
        if request.query.get("x-oss-signature-version") == V4:
            return self._verify_v4_url(request)
        if "Signature" in request.query:
            return self._verify_v1_url(request)
        raise OssError(403, "AccessDenied", "You have no right to access this object because of bucket acl.")

    def _secret(self, key_id: str) -> bytes:
        try:
            return self._secrets[key_id].encode()
        except KeyError:
            raise OssError(
                403,
                "InvalidAccessKeyId",
                "The OSS Access Key Id you provided does not exist in our records.",
                OSSAccessKeyId=key_id,
            ) from None

    def _compare(self, key_id: str, provided: str, expected: str, string_to_sign: bytes) -> None:
        if not hmac.compare_digest(provided.encode(), expected.encode()):
            raise OssError(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
                OSSAccessKeyId=key_id,
                SignatureProvided=provided,
                StringToSign=string_to_sign.decode("utf-8", "replace"),
            )

    def _check_skew(self, moment: float) -> None:
        if abs(self._clock() - moment) > ALLOWED_SKEW_SECONDS:
            raise OssError(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )

    # Version 1

    def _verify_v1_header(self, request: SignedRequest, credential: str) -> str:
        key_id, colon, provided = credential.partition(":")
        if not colon:
            raise invalid_argument("Authorization header is invalid.")
        date = request.header("x-oss-date") or request.header("date")
        try:
            moment = parsedate_to_datetime(date).timestamp()
        except ValueError:
            raise OssError(403, "AccessDenied", "OSS authentication requires a valid Date.") from None
        text = _v1_string_to_sign(request, date)
        self._compare(key_id, provided, _hmac_sha1(self._secret(key_id), text), text)
        self._check_skew(moment)
        return key_id

    def _verify_v1_url(self, request: SignedRequest) -> str:
        key_id, expires = request.query.get("OSSAccessKeyId", ""), request.query.get("Expires", "")
        if not expires.isdigit():
            raise OssError(403, "AccessDenied", "Invalid date (should be seconds since epoch).")
        text = _v1_string_to_sign(request, expires)
        self._compare(key_id, request.query["Signature"], _hmac_sha1(self._secret(key_id), text), text)
        if self._clock() > int(expires):
            raise OssError(403, "AccessDenied", "Request has expired.")
        return key_id

    # Version 4

    def _verify_v4_header(self, request: SignedRequest, fields_text: str) -> str:
        fields = dict(part.strip().partition("=")[::2] for part in fields_text.split(","))
        if request.header("x-oss-content-sha256") != "UNSIGNED-PAYLOAD":
            raise invalid_argument("The x-oss-content-sha256 header must be UNSIGNED-PAYLOAD.")
        stamp = request.header("x-oss-date")
        moment = _parse_stamp(stamp)
        additional = fields.get("AdditionalHeaders", "")
        key_id = self._verify_v4(
            request, fields.get("Credential", ""), stamp, additional, fields.get("Signature", "")
        )
        self._check_skew(moment)
        return key_id

    def _verify_v4_url(self, request: SignedRequest) -> str:
        query = request.query
        stamp, expires = query.get("x-oss-date", ""), query.get("x-oss-expires", "")
        moment = _parse_stamp(stamp)
        if not expires.isdigit() or not 0 < int(expires) <= LONGEST_URL_SECONDS:
            raise invalid_argument(f"x-oss-expires must be between 1 and {LONGEST_URL_SECONDS} seconds.")
        additional = query.get("x-oss-additional-headers", "")
        key_id = self._verify_v4(
            request, query.get("x-oss-credential", ""), stamp, additional, query.get("x-oss-signature", "")
        )
        if self._clock() > moment + int(expires):
            raise OssError(403, "AccessDenied", "Request has expired.")
        if self._clock() < moment - ALLOWED_SKEW_SECONDS:
            raise OssError(403, "AccessDenied", "Request is not valid yet.")
        return key_id

    def _verify_v4(
        self, request: SignedRequest, credential: str, stamp: str, additional: str, provided: str
    ) -> str:
        parts = credential.split("/")
        if len(parts) != 5 or parts[3:] != ["oss", "aliyun_v4_request"] or parts[1] != stamp[:8]:
            raise invalid_argument(
                "The credential must be AccessKeyId/SignDate/Region/oss/aliyun_v4_request of the day."
            )
        key_id, day, region = parts[:3]
        if region != self._region:
            raise invalid_argument(
                f"The signing region {region} is not the region of the bucket, {self._region}."
            )
        canonical = _v4_canonical_request(request, additional)
        text = "\n".join((V4, stamp, "/".join(parts[1:]), hashlib.sha256(canonical).hexdigest())).encode()
        signing_key = b"aliyun_v4" + self._secret(key_id)
        for step in (day, region, "oss", "aliyun_v4_request"):
            signing_key = hmac.digest(signing_key, step.encode(), "sha256")
        self._compare(key_id, provided, hmac.digest(signing_key, text, "sha256").hex(), text)
        return key_id


def _hmac_sha1(secret: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, text, "sha1")).decode()


def _v1_string_to_sign(request: SignedRequest, date: str) -> bytes:
    lines = [request.method, request.header("content-md5"), request.header("content-type"), date]
    lines += [
        f"{name}:{value}" for name, value in sorted(request.headers.items()) if name.startswith("x-oss-")
    ]
    signed = sorted((name, value) for name, value in request.query.items() if name in _V1_SUBRESOURCES)
    resource = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    if signed:
        resource += "?" + "&".join(f"{name}={value}" if value else name for name, value in signed)
    # Header values travel as latin-1, names of objects as UTF-8.
    return "\n".join(lines).encode("latin-1", "replace") + b"\n" + resource.encode()


def _v4_canonical_request(request: SignedRequest, additional: str) -> bytes:
    path = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    pairs = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in request.query.items()
        if name != "x-oss-signature"
    )
    extra = additional.lower().split(";") if additional else []
    lines = "".join(
        f"{name}:{value.strip()}\n"
        for name, value in sorted(request.headers.items())
        if name.startswith("x-oss-") or name in {"content-type", "content-md5"} or name in extra
    )
    return b"\n".join(
        (
            request.method.encode(),
            quote(path, safe="/~").encode(),
            "&".join(f"{name}={value}" if value else name for name, value in pairs).encode(),
            lines.encode("latin-1", "replace"),
            ";".join(sorted(extra)).encode(),
            (request.header("x-oss-content-sha256") or "UNSIGNED-PAYLOAD").encode(),
        )
    )


def _parse_stamp(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise OssError(
            403, "AccessDenied", "OSS authentication requires a valid Date in x-oss-date."
        ) from None
