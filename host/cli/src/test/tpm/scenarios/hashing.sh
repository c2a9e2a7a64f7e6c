# Hashes, sequences, tickets, PCRs and events.
head -c 100000 /dev/zero >large
for hash in sha1 sha256 sha384 sha512; do
    tpm2 hash -Q -C o -g "$hash" -o hash.bin -t hash.ticket large
    # The host's program for the same hash says the same.
    expected=$("${hash}sum" <large | cut -d ' ' -f 1)
    [ "$(od -An -v -tx1 hash.bin | tr -d ' \n')" = "$expected" ] || fail "another $hash"
done
echo "an event" >event
tpm2 pcrevent -Q 8 event
for hash in sha1 sha256 sha384 sha512; do
    tpm2 hash -Q -C o -g "$hash" -o digest.bin event
    # What PCR 8 was, and the event's digest.
    { head -c "$(wc -c <digest.bin)" /dev/zero; cat digest.bin; } >extended
    expected=$("${hash}sum" <extended | cut -d ' ' -f 1)
    tpm2 pcrread "$hash:8" | tr A-F a-f | grep -q "$expected" || fail "PCR 8 of $hash is not $expected"
done
# A restricted key signs what the TPM has hashed, and nothing that looks like
# its own statements.
tpm2 createek -Q -c ek.ctx -G ecc -u ek.pub
tpm2 createak -Q -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa
tpm2 hash -Q -C e -g sha256 -o hash.bin -t hash.ticket event
tpm2 sign -Q -c ak.ctx -g sha256 -d -t hash.ticket -o signature hash.bin
printf '\377TCG and more' >forged
tpm2 hash -Q -C e -g sha256 -o hash.bin -t hash.ticket forged
refused 0x tpm2 sign -c ak.ctx -g sha256 -d -t hash.ticket -o signature hash.bin
