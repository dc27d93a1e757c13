"""Proving and reading what WeCom pushes to an app. Pure.

Source: https://developer.work.weixin.qq.com/document/path/90968 (signature and encryption) and
https://developer.work.weixin.qq.com/document/path/101017 (smart sheets).
"""

import hashlib
import re
from base64 import b64decode
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from app.domain.errors import BadSignature, Malformed
from app.domain.messages import RawRequest
from connectors.signatures import check_secret

ENCRYPTED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")
KEY_LENGTH = 43  # of an EncodingAESKey: base64 of 32 bytes, without its '='
IV, BLOCK_BITS = 16, 256  # bytes; the padding counts to 32 bytes, not to AES' 16
RANDOM, LENGTH = 16, 4  # bytes before the message
SHEET_CHANGED = "smart_sheet_change"


def opened(label: str, request: RawRequest, token: str, aes_key: str, corp_id: str) -> bytes:
    """What the request holds: an event in XML, or for a GET the text WeCom wants to read back.

    Raises BadSignature unless it is signed with the token and encrypted with the key, for this company.
    """
    params, encrypted = request.params(), _encrypted(request)
    signed = "".join(sorted([token, params.get("timestamp", ""), params.get("nonce", ""), encrypted]))
    expected = hashlib.sha1(signed.encode()).hexdigest() if token and encrypted else ""
    check_secret(label, params.get("msg_signature", ""), expected, "msg_signature")
    try:
        message, receiver = decrypted(encrypted, aes_key)
    except ValueError as error:
        raise _not_for_us(label) from error
    if receiver != corp_id.encode():
        raise _not_for_us(label)
    return message


def changed_rows(label: str, event: bytes) -> tuple[str, ...]:
    """Ids of the rows a smart sheet's event speaks of; none for every other event of the app."""
    try:
        xml = ElementTree.fromstring(event)
    except ElementTree.ParseError as error:
        raise Malformed(f"The {label} event is not valid XML; it was left out. A poll finds the change.") from error
    if xml.findtext("Event") != SHEET_CHANGED:
        return ()
    return tuple(dict.fromkeys(row.text for row in xml.iter("RecordId") if row.text))


def _encrypted(request: RawRequest) -> str:
    if request.method == "GET":
        return request.params().get("echostr", "")
    found = ENCRYPTED.search(request.body)
    return found[1].decode() if found else ""


def aes_key_of(text: str) -> bytes:
    """The key in an EncodingAESKey. Raises ValueError."""
    if len(text) != KEY_LENGTH:
        raise ValueError("no EncodingAESKey")
    return b64decode(text + "=")


def decrypted(encrypted: str, aes_key: str) -> tuple[bytes, bytes]:
    """The message and its receiver's id. Raises ValueError.

    AES-256-CBC: 16 random bytes, the message's length as 4 bytes, the message, the receiver's id; PKCS#7 padding.
    """
    key = aes_key_of(aes_key)
    decryptor, unpadder = Cipher(algorithms.AES256(key), modes.CBC(key[:IV])).decryptor(), PKCS7(BLOCK_BITS).unpadder()
    padded = decryptor.update(b64decode(encrypted)) + decryptor.finalize()
    content = unpadder.update(padded) + unpadder.finalize()
    begin = RANDOM + LENGTH
    end = begin + int.from_bytes(content[RANDOM:begin], "big")
    return content[begin:end], content[end:]


def _not_for_us(label: str) -> BadSignature:
    return BadSignature(
        f"The {label} request is not encrypted with the EncodingAESKey for this company; it was refused and nothing "
        f"was stored. If {label} itself sent it, set the same EncodingAESKey in its admin console and on Destinations."
    )
