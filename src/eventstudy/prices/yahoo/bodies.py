"""How much of an answer is read: no body longer than a chart can be, whatever it says of itself or unpacks to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventstudy.prices.yahoo.kinds import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Bytes unpacked; sixty years of daily bars are a tenth of it.
LARGEST_BODY = 16 * 2**20
#: What a callback of curl returns to end a transfer.
_END = 0xFFFFFFFF


def request_limited(
    session: object, request: Callable[..., Any], method: str, url: str, options: Mapping[str, Any]
) -> Any:
    """Return the response to a request, its body read up to a limit.

    Parameters
    ----------
    session : object
        The session, whose library decides how a body is read in pieces.
    request : callable
        Its ``request``.
    method, url, options : str, str, mapping
        What to request.

    Returns
    -------
    object
        The library's response, with its whole body.

    Raises
    ------
    Refused
        If the body is longer; no more than the limit and one piece of it is held in memory.
    """
    libraries = {ancestor.__module__.partition(".")[0] for ancestor in type(session).__mro__}
    if "curl_cffi" in libraries:
        return _by_curl(request, method, url, options)
    if "requests" in libraries:
        return _by_requests(request, method, url, options)
    response = request(method, url, **options)
    if len(response.content) > LARGEST_BODY:
        raise _too_long()
    return response


def _too_long() -> Refused:
    return Refused("bad_response", f"the answer is longer than {LARGEST_BODY // 2**20} MB, which no chart is")


def _by_curl(request: Callable[..., Any], method: str, url: str, options: Mapping[str, Any]) -> Any:
    body = bytearray()
    over = False

    def take(piece: bytes) -> int:
        nonlocal over
        over = over or len(body) + len(piece) > LARGEST_BODY
        if over:
            body.clear()
            return _END
        body.extend(piece)
        return len(piece)

    try:
        response = request(method, url, **{**options, "content_callback": take})
    except Exception:
        if over:
            raise _too_long() from None
        raise
    if over:
        raise _too_long()
    response.content = bytes(body)
    return response


def _by_requests(request: Callable[..., Any], method: str, url: str, options: Mapping[str, Any]) -> Any:
    response = request(method, url, **{**options, "stream": True})
    body = bytearray()
    with response:
        for piece in response.iter_content(2**14):
            body.extend(piece)
            if len(body) > LARGEST_BODY:
                raise _too_long()
    response._content, response._content_consumed = bytes(body), True
    return response
