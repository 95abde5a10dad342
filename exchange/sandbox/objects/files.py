"""Files: what is handed in with a dispute. Of each the sandbox keeps what it is called, how large it is, its digest."""

from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal
from exchange.sandbox.protocol.parameters import Closed, Listed, Params
from exchange.sandbox.protocol.register import readable, route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World

MOST_BYTES = 5 * 2**20
"""Of one file of evidence (docs.stripe.com/file-upload)."""

TYPES = {b"%PDF": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}
"""What evidence may be, by its first bytes."""

Purpose = Literal["dispute_evidence"]


class Upload(Closed):
    """A file of a multipart form, as the protocol hands it over."""

    name: str
    size: int
    sha256: str
    begins: str


class FileCreate(Params):
    file: Upload
    purpose: Purpose


class FileList(Listed):
    purpose: Purpose | None = Field(None)


@route("POST", "/v1/files", FileCreate, depth="simplified", note="dispute_evidence only; the bytes are not kept")
async def create_file(world: World, params: FileCreate) -> Doc:
    begins = bytes.fromhex(params.file.begins)
    kind = next((kind for first, kind in TYPES.items() if begins.startswith(first)), None)
    if kind is None:
        raise Refusal("A file of evidence is a PDF, a JPEG or a PNG.", param="file")
    if params.file.size > MOST_BYTES:
        raise Refusal(f"A file of evidence has at most {MOST_BYTES} bytes.", param="file")
    file = new_id("file")
    return await world.add(
        {
            "id": file,
            "object": "file",
            "created": world.now,
            "expires_at": None,
            "filename": params.file.name,
            "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={file}"},
            "purpose": params.purpose,
            "size": params.file.size,
            "title": None,
            "type": kind,
            "url": f"https://files.stripe.com/v1/files/{file}/contents",
            "_sha256": params.file.sha256,
        }
    )


readable("/v1/files", "file", FileList)
