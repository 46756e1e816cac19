"""The body of an HTTP answer, read within bounds of size and time: for what answers us from outside.

In: a response that streams. Out: its bytes, or an error in words of the caller's.
"""

import time
from collections.abc import Callable

import httpx


def read_bounded(
    response: httpx.Response, bytes_max: int, deadline: float, failure: Callable[[str], Exception]
) -> bytes:
    """The whole body.

    Args:
        response: Of a stream that is open.
        bytes_max: How large it may be.
        deadline: By when it must be there, on the monotonic clock.
        failure: Makes the error of what is wrong, which is raised.
    """
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > bytes_max:
            raise failure(f"the answer is larger than {bytes_max} bytes")
        # The client bounds the wait for each piece; a server that drips would hold us for ever.
        if time.monotonic() > deadline:
            raise failure("the answer takes too long")
    return bytes(content)
