"""Whether a picture's file ends before the picture in it does.

A decoder may fill what is missing with grey and say nothing: OpenCV 4 does so with a JPEG that is
cut short. So the file itself is looked at, too.
"""

from __future__ import annotations

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
START_OF_SCAN = 0xDA
# markers that stand alone, without a length: fill bytes, TEM, RSTn, SOI
LONELY_MARKERS = frozenset({0xFF, 0x01, *range(0xD0, 0xD9)})
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND"


def is_cut_short(encoded: bytes) -> bool:
    """Whether a JPEG or PNG file ends, or goes on with zeros, before the picture in it does.

    encoded: the file's content; of any other format it is False.
    """
    if encoded.startswith(PNG_START):
        return PNG_END not in _png_chunks(encoded)
    if not encoded.startswith(JPEG_START):
        return False
    scan = _start_of_scan(encoded)
    # In a scan no 0xff is followed by this byte; a preview inside the file ends before the scan.
    return scan is None or encoded.find(JPEG_END, scan) < 0


def _start_of_scan(encoded: bytes) -> int | None:
    """Where the first scan of a JPEG starts; None when the file ends, or makes no sense, before."""
    at = 2
    while at + 4 <= len(encoded):
        if encoded[at] != 0xFF:
            return None
        marker = encoded[at + 1]
        if marker in LONELY_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == START_OF_SCAN:
            return at
        at += 2 + int.from_bytes(encoded[at + 2 : at + 4])
    return None


def _png_chunks(encoded: bytes) -> list[bytes]:
    """Names of the whole chunks of a PNG."""
    names, at = [], len(PNG_START)
    while at + 12 <= len(encoded):
        end = at + 12 + int.from_bytes(encoded[at : at + 4])
        if end > len(encoded):
            break
        names.append(encoded[at + 4 : at + 8])
        at = end
    return names
