# The commands by which systemd-cryptenroll seals the key of a disk: a storage
# key on P-256 at its well-known handle, a salted session that encrypts, a
# policy of PCR 7 and a PIN.
tpm2 createprimary -Q -C o -g sha256 -G ecc256:null:aes128cfb -c primary.ctx \
    -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt|noda"
tpm2 evictcontrol -Q -C o -c primary.ctx 0x81000001
head -c 32 /dev/urandom >volume.key

tpm2 startauthsession -S session.ctx -g sha256
tpm2 policypcr -Q -S session.ctx -l sha256:7
tpm2 policyauthvalue -Q -S session.ctx -L policy
tpm2 flushcontext session.ctx
tpm2 create -Q -C 0x81000001 -L policy -p 1234 -a "fixedtpm|fixedparent" -i volume.key -u sealed.pub -r sealed.priv

unlock() {
    tpm2 load -Q -C 0x81000001 -u sealed.pub -r sealed.priv -c sealed.ctx
    tpm2 startauthsession -S session.ctx --policy-session -c 0x81000001 -g sha256
    tpm2 sessionconfig session.ctx --enable-encrypt --enable-decrypt
    tpm2 policypcr -Q -S session.ctx -l sha256:7
    tpm2 policyauthvalue -Q -S session.ctx
    status=0
    tpm2 unseal -c sealed.ctx -p "session:session.ctx+$1" -o unsealed || status=$?
    tpm2 flushcontext session.ctx
    return "$status"
}
unlock 1234
same volume.key unsealed
refused 0x98e unlock 4321
stop
serve
unlock 1234
same volume.key unsealed
tpm2 pcrextend 7:sha256=0000000000000000000000000000000000000000000000000000000000000001
refused 0x99d unlock 1234
