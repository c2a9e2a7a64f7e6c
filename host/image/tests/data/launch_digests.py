#!/usr/bin/env python3
"""Computes launch digests with sev-snp-measure, for launch_digest.rs.

    pip install sev-snp-measure==0.0.13
    python3 launch_digests.py                    > launch_digests.json
    python3 launch_digests.py /path/to/OVMF.fd   > ovmf_launch_digests.json

Without an argument it writes a synthetic firmware image, byte by byte as
launch_digest.rs does, and measures that; with one it measures the file named.
sev-snp-measure (https://github.com/virtee/sev-snp-measure) shares no code with
this project.
"""

import hashlib
import json
import struct
import sys
import tempfile
import uuid

from sevsnpmeasure import guest, vcpu_types
from sevsnpmeasure.sev_mode import SevMode

FIRMWARE_SIZE = 0x8000
# Offset of the SEV metadata in the image.
METADATA = 0x6000
# Where processors other than the first one start.
RESET_ADDRESS = 0xFFFFB004
# Guest physical address, size and type of the metadata's sections: memory of
# the firmware's first phase (1), secrets (2), CPUID (3), SVSM calling area (4).
SECTIONS = [
    (0x800000, 0x9000, 1),
    (0x80A000, 0x3000, 1),
    (0x80D000, 0x1000, 2),
    (0x80E000, 0x1000, 3),
    (0x80F000, 0x1000, 4),
    (0x810000, 0x10000, 1),
]


def table_entry(guid, data):
    size = len(data) + 18
    return data + struct.pack("<H", size) + uuid.UUID(guid).bytes_le


def synthetic_firmware():
    image = bytearray((i * 7 + (i >> 8) * 13 + 5) & 0xFF for i in range(FIRMWARE_SIZE))
    image[0x3000:0x4000] = bytes(0x1000)

    metadata = struct.pack("<4sIII", b"ASEV", 16 + 12 * len(SECTIONS), 1, len(SECTIONS))
    metadata += b"".join(struct.pack("<III", *section) for section in SECTIONS)
    image[METADATA:METADATA + len(metadata)] = metadata

    entries = table_entry("00f771de-1a7e-4fcb-890e-68c77e2fb44e", struct.pack("<I", RESET_ADDRESS))
    entries += table_entry("dc886566-984a-4798-a75e-5585a7bf67cc",
                           struct.pack("<I", FIRMWARE_SIZE - METADATA))
    footer = struct.pack("<H", len(entries) + 18)
    footer += uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d").bytes_le
    table = entries + footer
    end = FIRMWARE_SIZE - 32
    image[end - len(table):end] = table
    return bytes(image)


def main():
    if len(sys.argv) > 1:
        with open(sys.argv[1], "rb") as file:
            firmware = file.read()
    else:
        firmware = synthetic_firmware()

    digests = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(firmware)
        file.flush()
        for vcpu_type in ["EPYC-v4", "EPYC-Milan", "EPYC-Genoa"]:
            signature = vcpu_types.CPU_SIGS[vcpu_type]
            for features in [0x1, 0x21]:
                for vcpus in [1, 4]:
                    digest = guest.calc_launch_digest(
                        SevMode.SEV_SNP, vcpus, signature, file.name, "", "", "", features)
                    digests.append({
                        "vcpu_type": vcpu_type,
                        "cpu_signature": signature,
                        "guest_features": features,
                        "vcpus": vcpus,
                        "digest": digest.hex(),
                    })
    print(json.dumps({"firmware_sha256": hashlib.sha256(firmware).hexdigest(),
                      "digests": digests}, indent=2))


if __name__ == "__main__":
    main()
