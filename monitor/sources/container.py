"""Whether a video file holds all the bytes that its container announces."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

# ISO/IEC 14496-12, section 4.2 and table 1. The walk ends at any other box: bytes that someone
# appended to a file are no sign of a truncation.
_MP4_BOXES = frozenset(
    b"ftyp styp moov moof mdat mfra free skip wide uuid meta sidx ssix prft pdin emsg".split()
)
_EBML_ID, _SEGMENT_ID = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def missing_bytes(path: Path) -> int:
    """How many bytes are missing at the end of a video file; 0 when none, or when none can tell.

    Understands MP4 and MOV, AVI, Matroska and WebM, whose headers give sizes. Counting decoded
    frames instead would not tell: files cut by an editor, or with a longer sound track, announce
    more frames than they show.

    path: a readable file. Raises OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in _MP4_BOXES:
            end = _end_of_mp4(file, size)
        elif head[:4] == b"RIFF":
            end = _end_of_riff(file, size)
        elif head[:4] == _EBML_ID:
            end = _end_of_matroska(file, size)
        else:
            return 0
    return max(end - size, 0)


def _end_of_mp4(file: BinaryIO, size: int) -> int:
    end = 0
    while end < size:
        file.seek(end)
        header = file.read(16)
        if header[4:8] not in _MP4_BOXES:
            break
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:
            break  # 0: the box reaches to the end of the file, wherever that is
        end += length
    return end


def _end_of_riff(file: BinaryIO, size: int) -> int:
    end = 0
    while end < size:
        file.seek(end)
        header = file.read(8)
        length = int.from_bytes(header[4:8], "little")
        if header[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):
            break  # not written to the end: a recorder fills the size in when it stops
        end += 8 + length
    return end


def _end_of_matroska(file: BinaryIO, size: int) -> int:
    # RFC 8794, section 4: an identifier, then a length whose leading zero bits say how many bytes
    # it takes; all ones means unknown.
    end = 0
    for identifier in (_EBML_ID, _SEGMENT_ID):
        if end >= size:
            break
        file.seek(end)
        header = file.read(12)
        if header[:4] != identifier or len(header) < 12 or not header[4]:
            return 0
        width = 9 - header[4].bit_length()
        unknown = (1 << 7 * width) - 1
        length = int.from_bytes(header[4 : 4 + width], "big") & unknown
        if length == unknown:
            return 0
        end += 4 + width + length
    return end
