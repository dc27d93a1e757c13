"""Which addresses an outgoing call may reach. A manager types URLs, so without this the server could be made to call
itself or its neighbours (SSRF). The address is checked at the moment of connecting, on the very number connected to:
a name that resolves to something else a second later changes nothing.
"""

import socket
from functools import cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from types import ModuleType
from typing import Any

from app.domain.errors import PermanentError
from app.settings import settings

# Source: https://www.iana.org/assignments/ipv6-address-space (read 2026-11); NAT64 is RFC 6052.
GLOBAL_UNICAST, NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")


class PrivateAddress(PermanentError):
    pass


def guard(transport: Any, core: ModuleType) -> Any:
    """Keep an HTTPTransport of httpx (core: httpcore) or httpx2 (core: httpcore2) away from private addresses."""
    if not settings().allow_private_hosts:
        transport._pool._network_backend = _public_only(core)()  # neither library has a public way to set it
    return transport


def public_address(host: str, port: int) -> str:
    """The first address of `host`, as a number. Raises PrivateAddress when any of its addresses is not public."""
    found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if not is_public(address):
            raise PrivateAddress(
                f"The address of {host} is private, so nothing was sent. Correct the address, or let the operator "
                "set OCTOPUS_ALLOW_PRIVATE_HOSTS=true if this is a system of your own."
            )
    return found[0]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; an IPv4 address packed into IPv6 counts as what it is."""
    number = ip_address(address.split("%")[0])
    if number.version == 6:
        packed = IPv4Address(number.packed[-4:]) if number in NAT64 else number.ipv4_mapped or number.sixtofour
        if packed is None and number not in GLOBAL_UNICAST:
            return False
        number = packed or number
    return number.is_global and not number.is_multicast


@cache
def _public_only(core: ModuleType) -> type:
    class PublicOnly(core.SyncBackend):
        """The network less everything private. TLS still checks the name, not the number."""

        def connect_tcp(self, host, port, *args, **kwargs):
            try:
                address = public_address(host, port)
            except OSError as error:
                raise core.ConnectError(str(error)) from error
            return super().connect_tcp(address, port, *args, **kwargs)

        def connect_unix_socket(self, path, *args, **kwargs):
            raise PrivateAddress("A local socket is no address for a vendor, so nothing was sent.")

    return PublicOnly
