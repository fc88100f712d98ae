"""Requests to a server on this machine, without a library that tidies them up."""

import http.client
import json
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    url: str
    about: dict[str, Any]
    process: subprocess.Popen

    def ask(
        self, method: str, target: str, body: bytes | str = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(
                method, target, body.encode() if isinstance(body, str) else body, headers or {}
            )
            reply = connection.getresponse()
            return Reply(
                reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
            )
        finally:
            connection.close()

    def predict(self, rows: Any, query: str = "") -> Reply:
        """Rows, or any other value of the key, as JSON."""
        return self.post(json.dumps({"rows": rows}), query=query)

    def post(self, body: bytes | str, media_type: str = "application/json", query: str = "") -> Reply:
        return self.ask("POST", f"/predict{query}", body, {"Content-Type": media_type})
