"""A patient or doctor with a browser: asks again when the site does not answer, as people do."""

import base64
import re
import time
from typing import Any

import requests

PATIENCE_SECONDS = 60
TRY_AGAIN_SECONDS = 0.2
TIMEOUT_SECONDS = 20


class Person:
    """One browser session against the platform at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request, repeated while the server is away (502–504 or no answer), at most a minute."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._http.request(method, self._full(path), timeout=TIMEOUT_SECONDS, **options)
                if answer.status_code not in (502, 503, 504, 429):
                    return answer
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                return answer
            time.sleep(TRY_AGAIN_SECONDS)

    def get_json(self, path: str) -> Any:
        """GET that must answer 200 with JSON."""
        answer = self.ask("GET", path)
        answer.raise_for_status()
        return answer.json()

    def sign_in_by_code(self, phone: str, inbox: str) -> str:
        """Ask for a code, read it from the phone's inbox, sign in; returns the code. Begins anew when it was lost."""
        for _ in range(4):
            before = len(self.codes(inbox, phone))
            self.ask("POST", "/api/v1/otp", json={"phone": phone})
            code = self.wait_code(inbox, phone, before)
            answer = self.ask("POST", "/api/v1/session", json={"phone": phone, "code": code})
            if answer.ok:
                self._http.cookies.set("cf_session", answer.json()["token"])
                return code
        answer.raise_for_status()
        return ""

    def sign_in_staff(self, username: str, password: str) -> None:
        """Through the page, with its form's token."""
        page = self.ask("GET", "/staff/login")
        fields = {"username": username, "password": password, "csrf_token": _csrf(page.text)}
        self.ask("POST", "/staff/login", data=fields).raise_for_status()

    def submit(self, page: str, target: str, fields: dict[str, str]) -> requests.Response:
        """Send the form of a page that was opened before."""
        token = _csrf(self.ask("GET", page).text)
        answer = self.ask("POST", target, data={**fields, "csrf_token": token})
        answer.raise_for_status()
        return answer

    def open_frame(self, manifest: dict[str, Any], frame: dict[str, Any], series: dict[str, Any]) -> bytes:
        """Fetch the frame's ciphertext range and open it with the pixel key alone, as the browser's worker does."""
        from app.platform import open_provider
        from crypto.sealed_object import ClassKeys, SealedHeader, SealedReader

        pack = series["packs"][frame["pack"]]
        header = SealedHeader.parse(base64.b64decode(pack["header"]))
        keys = ClassKeys(head=None, pixel=base64.b64decode(pack["key"]))

        def read(start: int, end: int) -> bytes:
            if end <= 64:
                return header.pack()[start:end]
            answer = self.ask("GET", pack["url"], headers={"Range": f"bytes={start}-{end - 1}"})
            if answer.status_code != 206:
                raise requests.HTTPError(
                    f"{pack['url']}: {answer.status_code} instead of 206", response=answer
                )
            return answer.content

        reader = SealedReader(read, keys, open_provider())
        return reader.read(frame["offset"], frame["offset"] + frame["length"])

    def codes(self, inbox: str, phone: str) -> list[str]:
        """The codes in a phone's inbox, oldest first."""
        told = self.ask("GET", f"{inbox}/inbox.json?phone={phone}").json()["messages"]
        return [message["params"]["code"] for message in told if "code" in message["params"]]

    def wait_code(self, inbox: str, phone: str, before: int) -> str:
        """The newest code in the inbox once it has more than `before`; "" when none comes in a quarter minute."""
        deadline = time.monotonic() + PATIENCE_SECONDS / 4
        while time.monotonic() < deadline:
            codes = self.codes(inbox, phone)
            if len(codes) > before:
                return codes[-1]
            time.sleep(TRY_AGAIN_SECONDS)
        return ""

    def _full(self, path: str) -> str:
        return path if path.startswith("http") else self.url + path


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    return found.group(1) if found else ""
