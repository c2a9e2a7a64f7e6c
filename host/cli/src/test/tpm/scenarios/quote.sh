# An attestation key quotes PCRs, certifies a key and the time; a verifier that
# is not the TPM checks the quote.
tpm2 createek -Q -c ek.ctx -G ecc -u ek.pub
for key in "ecc ecdsa" "rsa rsassa"; do
    set -- $key
    tpm2 createak -Q -C ek.ctx -c ak.ctx -G "$1" -g sha256 -s "$2" -u ak.pem -f pem -n ak.name
    tpm2 pcrextend 16:sha256=1111111111111111111111111111111111111111111111111111111111111111
    tpm2 quote -Q -c ak.ctx -l sha256:0,1,16+sha1:2 -q abcd1234 -m quote.msg -s quote.sig -o quote.pcrs -g sha256
    tpm2 checkquote -Q -u ak.pem -m quote.msg -s quote.sig -f quote.pcrs -g sha256 -q abcd1234
    refused nonce tpm2 checkquote -u ak.pem -m quote.msg -s quote.sig -f quote.pcrs -g sha256 -q abcd1235
    tpm2 pcrextend 16:sha256=1111111111111111111111111111111111111111111111111111111111111111
    tpm2 quote -Q -c ak.ctx -l sha256:0,1,16+sha1:2 -q abcd1234 -m later.msg -s later.sig -o later.pcrs -g sha256
    refused PCR tpm2 checkquote -u ak.pem -m quote.msg -s quote.sig -f later.pcrs -g sha256 -q abcd1234

    tpm2 createprimary -Q -C o -G ecc -c primary.ctx
    tpm2 certify -Q -c primary.ctx -C ak.ctx -g sha256 -o certify.msg -s certify.sig
    tpm2 verifysignature -Q -c ak.ctx -g sha256 -m certify.msg -s certify.sig
    tpm2 gettime -Q -c ak.ctx -q cafe --attestation time.msg -o time.sig -g sha256
    tpm2 verifysignature -Q -c ak.ctx -g sha256 -m time.msg -s time.sig
done
