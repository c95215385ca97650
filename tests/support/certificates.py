"""Certificates for tests, made when they are asked for."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime.now(dt.timezone.utc)
DAY = dt.timedelta(days=1)


class Authority:
    """A CA that signs certificates and revokes them; its files lie in `folder`.

    Attributes
    ----------
    cafile : str
        Its own certificate.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        key = self._key.public_key()
        self._cert = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
            .public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .sign(self._key, hashes.SHA256()))
        self.cafile = self._write("ca.pem", self._pem(self._cert))

    @staticmethod
    def _pem(cert: x509.Certificate) -> bytes:
        return cert.public_bytes(serialization.Encoding.PEM)

    def _write(self, name: str, text: bytes) -> str:
        path = self._folder / f"{self._name}-{name}"
        path.write_bytes(text)
        return str(path)

    def issue(self, name: str, hosts: tuple[str, ...] = (), password: str | None = None,
              valid: bool = True) -> Issued:
        """Sign a certificate for `name`, which also stands for `hosts`."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin, end = (NOW - DAY, NOW + DAY) if valid else (NOW - 2 * DAY, NOW - DAY)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._cert.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin).not_valid_after(end))
        if hosts:
            names: list[x509.GeneralName] = []
            for host in hosts:
                try:
                    names.append(x509.IPAddress(ipaddress.ip_address(host)))
                except ValueError:
                    names.append(x509.DNSName(host))
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        cert = builder.sign(self._key, hashes.SHA256())
        hidden = (serialization.BestAvailableEncryption(password.encode()) if password
                  else serialization.NoEncryption())
        stem = f"{cert.serial_number:x}"[:8]
        return Issued(
            cert, self._write(f"{stem}-cert.pem", self._pem(cert)),
            self._write(f"{stem}-key.pem", key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)))

    def revoke(self, *issued: Issued) -> str:
        """A file with the CA's certificate and its list of those that are revoked."""
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self._cert.subject)
                   .last_update(NOW - DAY).next_update(NOW + DAY))
        for one in issued:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(one.cert.serial_number)
                .revocation_date(NOW - DAY).build())
        crl = builder.sign(self._key, hashes.SHA256())
        return self._write(f"crl-{len(issued)}.pem", self._pem(self._cert)
                           + crl.public_bytes(serialization.Encoding.PEM))


class Issued:
    """A certificate and where it lies.

    Attributes
    ----------
    certfile, keyfile : str
    serial : str
        Hexadecimal digits.
    """

    def __init__(self, cert: x509.Certificate, certfile: str, keyfile: str) -> None:
        self.cert = cert
        self.certfile = certfile
        self.keyfile = keyfile
        self.serial = f"{cert.serial_number:X}"
