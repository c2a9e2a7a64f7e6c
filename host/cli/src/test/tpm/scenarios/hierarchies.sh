# Passwords of the hierarchies, the protection against guessing, and clearing.
tpm2 changeauth -Q -c owner ownerpass
tpm2 changeauth -Q -c lockout lockpass
refused 0x9a2 tpm2 createprimary -C o -G ecc -c primary.ctx
tpm2 createprimary -Q -C o -P ownerpass -G ecc -c primary.ctx

tpm2 dictionarylockout -s -n 2 -t 1000 -l 1000 -p lockpass
tpm2 create -Q -C primary.ctx -G ecc -p keypass -u key.pub -r key.priv
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
echo "a message" >message
refused 0x98e tpm2 sign -c key.ctx -p wrong -o signature message
refused 0x98e tpm2 sign -c key.ctx -p wrong -o signature message
refused 0x921 tpm2 sign -c key.ctx -p keypass -o signature message
tpm2 dictionarylockout -c -p lockpass
tpm2 sign -Q -c key.ctx -p keypass -o signature message

tpm2 nvdefine -Q 0x1500001 -C o -P ownerpass -s 8
tpm2 evictcontrol -Q -C o -P ownerpass -c primary.ctx 0x81000001
tpm2 clearcontrol -Q -C l -P lockpass s
refused 0x120 tpm2 clear -c l lockpass
tpm2 clearcontrol -Q -C p c
tpm2 clear -c l lockpass
# Keys, indices and passwords of the owner are gone, and the seed with them.
refused 0x tpm2 nvreadpublic 0x1500001
refused 0x tpm2 readpublic -c 0x81000001
tpm2 readpublic -Q -c primary.ctx -o old.pub 2>/dev/null && fail "a context outlasted the clear"
tpm2 createprimary -Q -C o -G ecc -c primary.ctx
refused 0x tpm2 load -C primary.ctx -u key.pub -r key.priv -c key.ctx
# The platform's certificates stay.
tpm2 nvreadpublic 0x1c00002 >public
