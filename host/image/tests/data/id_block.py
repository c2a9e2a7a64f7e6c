#!/usr/bin/env python3
"""Signs an ID block with sev-snp-measure, for id_block.rs.

    pip install sev-snp-measure==0.0.13 'cryptography>=43'
    python3 id_block.py > id_block.json

sev-snp-measure signs with the OpenSSL behind `cryptography`. The one change
made to it is deterministic signing [RFC 6979], so that there is one right
answer. The keys are derived from numbers written here and protect nothing.
"""

import json
import tempfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sevsnpmeasure import id_block

LAUNCH_DIGEST = bytes(range(48))


class DeterministicEcdsa(ec.ECDSA):
    def __init__(self, algorithm):
        super().__init__(algorithm, deterministic_signing=True)


def key(seed):
    return ec.derive_private_key(int.from_bytes(bytes([seed]) * 40, "big"), ec.SECP384R1())


def pem(private_key, form):
    return private_key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def main():
    id_block.ec.ECDSA = DeterministicEcdsa
    # The ID key as OpenSSL's `ecparam -genkey` writes it, the author key as
    # `genpkey` does.
    id_key = pem(key(0x17), serialization.PrivateFormat.TraditionalOpenSSL)
    author_key = pem(key(0x42), serialization.PrivateFormat.PKCS8)
    with tempfile.NamedTemporaryFile("w") as id_file, tempfile.NamedTemporaryFile("w") as author_file:
        id_file.write(id_key)
        id_file.flush()
        author_file.write(author_key)
        author_file.flush()
        printed = id_block.snp_calc_id_block(LAUNCH_DIGEST, id_file.name, author_file.name)
    options, id_key_digest, author_key_digest = printed.splitlines()
    print(json.dumps({
        "launch_digest": LAUNCH_DIGEST.hex(),
        "id_key": id_key,
        "author_key": author_key,
        "qemu_options": options,
        "id_key_digest": id_key_digest.removeprefix("id_key_hash: "),
        "author_key_digest": author_key_digest.removeprefix("author_key: "),
    }, indent=2))


if __name__ == "__main__":
    main()
