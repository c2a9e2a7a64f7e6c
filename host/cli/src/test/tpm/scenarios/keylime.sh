# The commands by which Keylime's agent registers and attests: an endorsement key
# and its certificate, an attestation key below it that is kept as a blob and
# loaded through the endorsement key's policy, the registrar's challenge, and
# quotes of the measured kernel (PCR 10) together with the key that the agent
# talks with (its digest in PCR 16).
endorsed() {
    tpm2 startauthsession --policy-session -S session.ctx
    tpm2 policysecret -Q -S session.ctx -c e
    "$@" session:session.ctx
    tpm2 flushcontext session.ctx
}
agent_starts() {
    tpm2 createek -Q -c ek.ctx -G rsa -u ek.pub
    endorsed tpm2 load -Q -C ek.ctx -u ak.pub -r ak.priv -c ak.ctx -n loaded.name -P
    same ak.name loaded.name
}

tpm2 createek -Q -c ek.ctx -G rsa -u ek.pub
tpm2 nvreadpublic 0x01c00002 >/dev/null
tpm2 nvread -Q -C o 0x01c00002 -o ek.der
tpm2 createak -Q -C ek.ctx -c ak.ctx -G rsa -g sha256 -s rsassa -u ak.pub -r ak.priv -n ak.name
tpm2 readpublic -Q -c ak.ctx -f pem -o ak.pem

# The registrar: this key is in the TPM that the certificate is of.
echo "the registrar's challenge" >challenge
tpm2 makecredential -Q -T none -u ek.pub -s challenge -n "$(od -An -v -tx1 ak.name | tr -d ' \n')" -o credential
endorsed tpm2 activatecredential -Q -c ak.ctx -C ek.ctx -i credential -o answer -P
same challenge answer

# The agent is started again, and so is the machine.
stop
serve
agent_starts

attest() {
    tpm2 pcrreset 16
    tpm2 pcrextend "16:sha256=$(printf %s "$2" | sha256sum | cut -d ' ' -f 1)"
    tpm2 quote -Q -c ak.ctx -l sha256:0,1,2,3,4,5,6,7,8,9,10,16 -q "$1" -g sha256 -m quote.msg -s quote.sig -o quote.pcrs
}
# The kernel measures into both banks.
tpm2 pcrextend 10:sha1=00112233445566778899aabbccddeeff00112233,sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
attest 6e6f6e6365 "the agent's key"
tpm2 checkquote -Q -u ak.pem -m quote.msg -s quote.sig -f quote.pcrs -g sha256 -q 6e6f6e6365
cp quote.pcrs before.pcrs
refused nonce tpm2 checkquote -u ak.pem -m quote.msg -s quote.sig -f quote.pcrs -g sha256 -q 6f6c64
# Something else was started, and the quote says so.
tpm2 pcrextend 10:sha256=ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100
attest 6e65787420 "the agent's key"
tpm2 checkquote -Q -u ak.pem -m quote.msg -s quote.sig -f quote.pcrs -g sha256 -q 6e65787420
refused PCR tpm2 checkquote -u ak.pem -m quote.msg -s quote.sig -f before.pcrs -g sha256 -q 6e65787420
# Somebody else's key in PCR 16 is seen, too.
cp quote.pcrs before.pcrs
attest 6c617374 "somebody else's key"
refused PCR tpm2 checkquote -u ak.pem -m quote.msg -s quote.sig -f before.pcrs -g sha256 -q 6c617374
