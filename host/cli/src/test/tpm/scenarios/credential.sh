# Proof that an attestation key is in the same TPM as a certified endorsement
# key, as registrars such as Keylime's ask for it.
echo "0123456789abcdef" >challenge
for algorithm in rsa ecc; do
    tpm2 createek -Q -c ek.ctx -G "$algorithm" -u ek.pub
    tpm2 createak -Q -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -n ak.name
    tpm2 makecredential -Q -u ek.pub -s challenge -n "$(od -An -v -tx1 ak.name | tr -d ' \n')" -o credential -T none
    tpm2 startauthsession --policy-session -S session.ctx
    tpm2 policysecret -Q -S session.ctx -c e
    tpm2 activatecredential -Q -c ak.ctx -C ek.ctx -i credential -o answer -P session:session.ctx
    same challenge answer
    tpm2 flushcontext session.ctx
    # Not for another key.
    tpm2 createak -Q -C ek.ctx -c other.ctx -G ecc -g sha256 -s ecdsa -u other.pub -n other.name
    tpm2 startauthsession --policy-session -S session.ctx
    tpm2 policysecret -Q -S session.ctx -c e
    refused 0x1df tpm2 activatecredential -c other.ctx -C ek.ctx -i credential -o answer -P session:session.ctx
    tpm2 flushcontext session.ctx
done
