"""The fault switch of every simulator: `POST /_sim/down` makes it answer 503 for a while, or until told."""

import math
import time
from collections.abc import Callable

from flask import Flask, Response, jsonify, request

Clock = Callable[[], float]


class OutageSwitch:
    """Down until a moment on `clock` (seconds since 1970). Not kept on disk: a restart heals."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._until = 0.0

    def down(self, seconds: float = math.inf) -> None:
        """Answer 503 to everything for `seconds`."""
        self._until = self._clock() + seconds

    def up(self) -> None:
        """Answer again."""
        self._until = 0.0

    @property
    def is_down(self) -> bool:
        """Whether requests are refused now."""
        return self._clock() < self._until

    def guard(self, app: Flask, answer: Callable[[], Response]) -> None:
        """Serve the switch on `app`, and let `answer` make the 503 of this kind of service.

        `POST /_sim/down?seconds=30`, `?on`, `?off`; `GET /_sim/down` tells the state.
        """

        @app.before_request
        def refuse_while_down() -> Response | None:
            if self.is_down and not request.path.startswith("/_sim/"):
                return answer()
            return None

        @app.post("/_sim/down")
        def switch() -> tuple[Response, int] | Response:
            if "off" in request.args:
                self.up()
            elif "on" in request.args:
                self.down()
            else:
                seconds = request.args.get("seconds", type=float)
                if seconds is None or not seconds >= 0:
                    return jsonify(error="use ?seconds=NUMBER, ?on or ?off"), 400
                self.down(seconds)
            return state()

        @app.get("/_sim/down")
        def state() -> Response:
            return jsonify(down=self.is_down)
