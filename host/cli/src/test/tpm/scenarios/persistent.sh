# Objects with persistent handles outlast power.
echo "a message" >message
tpm2 createprimary -Q -C o -G ecc -c primary.ctx
tpm2 create -Q -C primary.ctx -G ecc -u key.pub -r key.priv
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
tpm2 evictcontrol -Q -C o -c primary.ctx 0x81000001
tpm2 evictcontrol -Q -C o -c key.ctx 0x81000002
refused 0x14c tpm2 evictcontrol -C o -c key.ctx 0x81000002
stop
serve
tpm2 sign -Q -c 0x81000002 -g sha256 -o signature message
tpm2 verifysignature -Q -c 0x81000002 -g sha256 -m message -s signature
tpm2 load -Q -C 0x81000001 -u key.pub -r key.priv -c key.ctx
tpm2 evictcontrol -Q -C o -c 0x81000002
refused 0x tpm2 sign -c 0x81000002 -g sha256 -o signature message
tpm2 getcap handles-persistent >left
grep -q 0x81000001 left || fail "the other object is gone, too"
