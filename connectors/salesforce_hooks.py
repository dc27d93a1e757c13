"""Salesforce's Outbound Messages: SOAP that tells which records changed.

Source: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm (read
2026-11). They are not signed, so the address they are sent to holds a secret.
"""

from xml.etree import ElementTree

from app.domain.errors import Malformed
from app.domain.messages import RawRequest
from connectors.payloads import KEPT
from connectors.signatures import check_secret

OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
RECORD_ID = "{urn:sobject.enterprise.soap.sforce.com}Id"
ACKNOWLEDGED = (
    b'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    b'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse '
    b'xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></soapenv:Body>'
    b"</soapenv:Envelope>"
)


def check_address(label: str, request: RawRequest, secret: str) -> None:
    check_secret(label, request.params().get("secret", ""), secret, "secret in the address")


def changed_records(label: str, request: RawRequest) -> tuple[str, ...]:
    """The ids of the records. Raises Malformed.

    SOAP has no document type; one could make a small body a huge document.
    """
    try:
        text = request.body.decode()
        if "<!DOCTYPE" in text:
            raise Malformed(f"The {label} request is XML with a document type. {KEPT}")
        envelope = ElementTree.fromstring(text)
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise Malformed(f"The {label} request is not valid XML. {KEPT}") from error
    if envelope.find(f".//{OUTBOUND}notifications") is None:
        raise Malformed(f"The {label} request is XML, but not an Outbound Message. {KEPT}")
    found = [record.text for record in envelope.iterfind(f".//{OUTBOUND}Notification/{OUTBOUND}sObject/{RECORD_ID}")]
    return tuple(dict.fromkeys(one.strip() for one in found if one and one.strip()))
