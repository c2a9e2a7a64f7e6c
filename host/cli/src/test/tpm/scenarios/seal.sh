# A secret sealed to PCRs: unsealed while they are the same, refused afterwards,
# also when the TPM was restarted in between.
echo "a secret" >secret
tpm2 createprimary -Q -C o -G ecc -c primary.ctx
tpm2 startauthsession -S session.ctx
tpm2 policypcr -Q -S session.ctx -l sha256:0,7,23 -L pcr.policy
tpm2 flushcontext session.ctx
tpm2 create -Q -C primary.ctx -L pcr.policy -i secret -u sealed.pub -r sealed.priv
tpm2 load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx
tpm2 unseal -c sealed.ctx -p pcr:sha256:0,7,23 -o unsealed
same secret unsealed
refused 0x12f tpm2 unseal -c sealed.ctx

tpm2 pcrextend 23:sha256=0000000000000000000000000000000000000000000000000000000000000001
refused 0x99d tpm2 unseal -c sealed.ctx -p pcr:sha256:0,7,23
tpm2 pcrreset 23
tpm2 unseal -c sealed.ctx -p pcr:sha256:0,7,23 -o unsealed
same secret unsealed

# The same key comes from the same seed after a restart.
tpm2 shutdown -c
stop
serve
refused 0x tpm2 unseal -c sealed.ctx -p pcr:sha256:0,7,23
tpm2 createprimary -Q -C o -G ecc -c primary.ctx
tpm2 load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx
tpm2 unseal -c sealed.ctx -p pcr:sha256:0,7,23 -o unsealed
same secret unsealed
