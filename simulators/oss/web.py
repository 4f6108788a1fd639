"""The Flask app of the OSS simulator: the service at every path, and what tools and browsers need."""

import base64

from flask import Flask, Response, jsonify, request

from simulators.oss.errors import OssError, new_request_id
from simulators.oss.service import OssService
from simulators.outage import OutageSwitch


def create_app(service: OssService, outage: OutageSwitch, cors_origins: tuple[str, ...]) -> Flask:
    """The app: OSS at every path, `/_sim/objects` for tools, CORS headers for pages of `cors_origins`."""
    app = Flask("simulators.oss", static_folder=None)
    app.url_map.merge_slashes = False
    outage.guard(
        app, lambda: _refuse(OssError(503, "ServiceUnavailable", "Please reduce your request rate."))
    )

    @app.get("/_sim/objects")
    def objects() -> Response:
        shelf = service.shelf
        rows = [
            {
                "bucket": bucket,
                "key": o.key,
                "size": o.size,
                "etag": o.etag,
                "crc64": str(o.crc64),
                "type": o.kind,
            }
            | {"class": o.description.storage_class, "metadata": o.description.metadata}
            for bucket in shelf.buckets
            for o in shelf.objects(bucket)
        ]
        return jsonify(objects=rows)

    @app.route("/", methods=["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"], defaults={"path": ""})
    @app.route("/<path:path>", methods=["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"])
    def everything(path: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=200)
        try:
            return service.answer()
        except OssError as error:
            return _refuse(error)

    @app.after_request
    def finish(answer: Response) -> Response:
        answer.headers.setdefault("x-oss-request-id", new_request_id())
        answer.headers["Server"] = "AliyunOSS"
        origin = request.headers.get("Origin", "")
        if origin and ("*" in cors_origins or origin in cors_origins):
            answer.headers["Access-Control-Allow-Origin"] = "*" if "*" in cors_origins else origin
            answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
            answer.headers["Access-Control-Allow-Headers"] = "range"
            answer.headers["Access-Control-Expose-Headers"] = "ETag, Content-Range, x-oss-hash-crc64ecma"
            answer.vary.add("Origin")
        return answer

    return app


def _refuse(error: OssError) -> Response:
    request_id = new_request_id()
    body = error.to_xml(request_id)
    headers = {"x-oss-request-id": request_id, "x-oss-err": base64.b64encode(body).decode()}
    return Response(body, status=error.status, content_type="application/xml", headers=headers)
