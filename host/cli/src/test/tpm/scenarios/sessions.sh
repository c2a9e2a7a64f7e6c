# Sessions that authenticate and encrypt: bound, salted, for audit.
echo "a secret" >secret
tpm2 createprimary -Q -C o -G ecc -c primary.ctx
tpm2 create -Q -C primary.ctx -p sealpass -i secret -u sealed.pub -r sealed.priv
tpm2 load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx

tpm2 startauthsession -S session.ctx --hmac-session
tpm2 unseal -c sealed.ctx -p session:session.ctx+sealpass -o unsealed
same secret unsealed
refused 0x98e tpm2 unseal -c sealed.ctx -p session:session.ctx+wrong
tpm2 flushcontext session.ctx

tpm2 startauthsession -S session.ctx --hmac-session -c primary.ctx
tpm2 sessionconfig session.ctx --enable-encrypt --enable-decrypt
tpm2 unseal -c sealed.ctx -p session:session.ctx+sealpass -o unsealed
same secret unsealed
tpm2 flushcontext session.ctx

tpm2 startauthsession -S session.ctx --hmac-session --key-context primary.ctx
tpm2 sessionconfig session.ctx --enable-encrypt
tpm2 getrandom -S session.ctx -o random 16
[ "$(wc -c <random)" = 16 ] || fail "not as many bytes as asked for"
tpm2 flushcontext session.ctx

tpm2 startauthsession -S audit.ctx --audit-session
tpm2 getrandom -S audit.ctx -o random 16 --rphash rp.hash --cphash cp.hash
tpm2 createek -Q -c ek.ctx -G ecc -u ek.pub
tpm2 createak -Q -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa
tpm2 sessionconfig audit.ctx --enable-continuesession
tpm2 getsessionauditdigest -c ak.ctx -m audit.msg -s audit.sig -g sha256 -S audit.ctx
tpm2 verifysignature -Q -c ak.ctx -g sha256 -m audit.msg -s audit.sig
