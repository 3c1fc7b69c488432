"""A JSON backend below the setting `base_url`, over the HTTP that the host governs.

The host adds credentials and the Idempotency-Key. What fails is raised as an error of the contract; any other exception is a
trap, and ends the call without a result.
"""

import json
from typing import Any, Optional

from componentize_py_types import Err
from wit_world.imports import outgoing_handler, store
from wit_world.imports import switchboard_common_types as common
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.wasi_http_types import (
    Fields,
    IncomingResponse,
    Method,
    Method_Get,
    Method_Post,
    OutgoingBody,
    OutgoingRequest,
    Scheme_Http,
    Scheme_Https,
)

# The most that one write, and one read, take at once.
WRITE_BYTES = 4096
READ_BYTES = 65536


def get(path: str) -> Any:
    """Reads something."""
    return _send(Method_Get(), path, None)


def post(path: str, body: Any) -> Any:
    """Creates or does something."""
    return _send(Method_Post(), path, json.dumps(body, separators=(",", ":")).encode())


def _send(method: Method, path: str, body: Optional[bytes]) -> Any:
    request = _request(method, path, body)
    try:
        outgoing = request.body()
        pending = outgoing_handler.handle(request, None)
        with outgoing.write() as stream:
            for start in range(0, len(body or b""), WRITE_BYTES):
                stream.blocking_write_and_flush(body[start : start + WRITE_BYTES])
        OutgoingBody.finish(outgoing, None)
        with pending.subscribe() as ready:
            ready.block()
        answer = pending.get().value
        if isinstance(answer, Err):
            raise answer
        with answer.value as response:
            status, retry_after = response.status(), _retry_after(response)
            text = _read(response)
    except Err as error:
        raise _unavailable(f"no answer from the backend: {error.value}", None)
    return _meaning(status, retry_after, text)


def _request(method: Method, path: str, body: Optional[bytes]) -> OutgoingRequest:
    scheme, _, rest = (store.get("base_url") or "").partition("://")
    authority, slash, prefix = rest.partition("/")
    if scheme not in ("http", "https") or not authority:
        raise _unavailable("the plugin's setting base_url is no http(s) URL", None)
    headers = [("accept", b"application/json")]
    if body is not None:
        headers.append(("content-type", b"application/json"))
        headers.append(("content-length", str(len(body)).encode()))
    request = OutgoingRequest(Fields.from_list(headers))
    request.set_method(method)
    request.set_scheme(Scheme_Https() if scheme == "https" else Scheme_Http())
    request.set_authority(authority)
    request.set_path_with_query((slash + prefix).rstrip("/") + path)
    return request


def _read(response: IncomingResponse) -> bytes:
    text = bytearray()
    with response.consume() as body:
        with body.stream() as stream:
            while True:
                try:
                    text += stream.blocking_read(READ_BYTES)
                except Err as error:
                    if isinstance(error.value, StreamError_Closed):
                        return bytes(text)
                    raise


def _retry_after(response: IncomingResponse) -> Optional[int]:
    with response.headers() as fields:
        values = fields.get("retry-after")
    return int(values[0]) if values and values[0].isdigit() else None


def _meaning(status: int, retry_after: Optional[int], text: bytes) -> Any:
    """The answer where the backend agreed, else the contract's error."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if 200 <= status < 300 and answer is not None:
        return answer
    reason = answer.get("error") if isinstance(answer, dict) else None
    reason = reason if isinstance(reason, dict) else {}
    code = reason.get("code", "")
    words = f"HTTP {status} {code}: {reason.get('message', '')}"
    if status == 404:
        raise Err(common.Error_NotFound(words))
    if status == 422 and code == "not_eligible":
        raise Err(common.Error_NotEligible(words))
    if status == 409 or (status == 422 and code == "key_reuse"):
        raise Err(common.Error_Conflict(words))
    if status in (400, 422):
        raise Err(common.Error_InvalidInput(words))
    raise _unavailable(words, retry_after)


def _unavailable(reason: str, retry_after: Optional[int]) -> Err:
    return Err(common.Error_Unavailable(common.Unavailable(reason, retry_after)))
