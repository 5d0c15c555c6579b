"""The trading page: a document and its files, which lie in ``gateway/web`` and need no build.

The page talks to nobody but this venue and runs nothing but its own files: the policy sent with
every answer says so to the browser, which also refuses any text that is put in as markup.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.rest.answers import ProblemError

FOLDER = Path(__file__).parents[1] / "web"
DOCUMENT = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",  # its own address, by http and by WebSocket
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",  # asked for again each time, sent again only when it changed
}


class File(NamedTuple):
    """A file of the page as it is sent."""

    content: bytes
    media_type: str
    tag: str


def page_routes(path: str) -> APIRouter:
    """Return the page of the market at ``path``, and its files under ``path + "/web/"``.

    Files are read once; what is not among them does not exist, so no name leads out of the folder.
    """
    router = APIRouter(prefix=path, include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        return _sent(files()[DOCUMENT], request)

    @router.get("/web/{name:path}")
    async def file(name: str, request: Request) -> Response:
        if name not in files():
            raise ProblemError(404, "unknown_file", "The page has no such file.")
        return _sent(files()[name], request)

    return router


@cache
def files() -> dict[str, File]:
    """Return every file of the page by its name below the folder."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in TYPES:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            name = path.relative_to(FOLDER).as_posix()
            found[name] = File(content, TYPES[path.suffix], tag)
    return found


def _sent(file: File, request: Request) -> Response:
    """Answer with the file, or with 304 where the browser has it."""
    headers = {**HEADERS, "ETag": file.tag}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
