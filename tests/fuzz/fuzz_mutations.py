"""Changes to valid files: of bytes, and of the words that a text consists of."""

from __future__ import annotations

import random
import re
import struct
import zlib

ODD = (
    *("0", "-1", "1", "0.5", "1e308", "-1e-320", "1e999", "NaN", "-Infinity", "9" * 30, "9" * 4500),
    *("2147483648", "18446744073709551616", "null", "true", "''", '""', "[]", "{}", "\x00", "\n"),
    *("a", "../a", "/etc", "\u2028", "\ufeff", "\x1b[2J", "火", "a" * 300, "[" * 300, "&a", "*a"),
)
"""Words that break what was not thought of."""

PNG_START = b"\x89PNG\r\n\x1a\n"

_WORD = re.compile(rb"[A-Za-z0-9_.+]+|-|\s+|.", re.DOTALL)


def change_words(content: bytes, words: tuple[str, ...], draw: random.Random) -> bytes:
    """A text with some of its words replaced, left out, repeated or exchanged."""
    parts = _WORD.findall(content) or [b""]
    known = [word.encode("utf-8", "surrogatepass") for word in (*ODD, *words)]
    for _ in range(draw.randint(1, 4)):
        one, other = (draw.randrange(len(parts)) for _ in range(2))
        start, stop = sorted((one, other))
        action = draw.randrange(5)
        if action == 0:
            parts[one] = draw.choice(known)
        elif action == 1:
            parts[one] = parts[other]
        elif action == 2 and stop - start < len(parts):
            del parts[start:stop]
        elif action == 3 and len(parts) < 5000:
            parts[one:one] = parts[start : start + 20] * draw.choice((1, 2, 30))
        else:
            parts[one], parts[other] = parts[other], parts[one]
    return b"".join(parts)


def change_bytes(content: bytes, draw: random.Random) -> bytes:
    """A file with some bytes or numbers overwritten, cut out, inserted or its end cut off."""
    changed = bytearray(content or b"\0")
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(changed))
        action = draw.randrange(5)
        if action == 0:
            changed[place] = draw.randrange(256)
        elif action == 1:
            width = draw.choice((1, 2, 4, 8))
            number = draw.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 255, 65535))
            changed[place : place + width] = (number % 256**width).to_bytes(width, "little")
        elif action == 2:
            del changed[place : place + draw.choice((1, 4, 40))]
        elif action == 3:
            changed[place:place] = bytes(changed[place : place + draw.choice((1, 8, 60))])
        else:
            del changed[place:]
        if not changed:
            return b""
    return bytes(changed)


def right_sums(content: bytes) -> bytes:
    """A PNG with right check sums, so that a decoder sees what lies behind them."""
    if not content.startswith(PNG_START):
        return content
    parts, position = [PNG_START], len(PNG_START)
    while position + 12 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        body = content[position + 4 : position + 8 + length]
        parts += [struct.pack(">I", len(body) - 4), body, struct.pack(">I", zlib.crc32(body))]
        position += 12 + length
    return b"".join(parts)
