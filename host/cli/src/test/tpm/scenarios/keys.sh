# Keys of all kinds: create, load, sign and verify, encrypt and decrypt, agree.
echo "a message" >message
tpm2 createprimary -Q -C o -G ecc -c primary.ctx

for kind in "rsa2048 rsassa sha256" "rsa2048 rsapss sha256" "ecc256 ecdsa sha256" "ecc384 ecdsa sha384"; do
    set -- $kind
    tpm2 create -Q -C primary.ctx -G "$1:$2-$3:null" -u key.pub -r key.priv
    tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
    tpm2 sign -Q -c key.ctx -s "$2" -g "$3" -o signature message
    tpm2 verifysignature -Q -c key.ctx -g "$3" -m message -s signature
    echo "another message" >other
    refused signature tpm2 verifysignature -c key.ctx -g "$3" -m other -s signature
done

# RSA, with both paddings.
tpm2 create -Q -C primary.ctx -G rsa2048 -u key.pub -r key.priv -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|decrypt"
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
for padding in rsaes oaep; do
    tpm2 rsaencrypt -Q -c key.ctx -s "$padding" -o encrypted message
    tpm2 rsadecrypt -Q -c key.ctx -s "$padding" -o decrypted encrypted
    same message decrypted
done

# A secret agreed on, from both sides.
tpm2 create -Q -C primary.ctx -G ecc256:ecdh-sha256 -u key.pub -r key.priv -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|decrypt"
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
tpm2 ecdhkeygen -u ephemeral.point -o one.secret -c key.ctx
tpm2 ecdhzgen -u ephemeral.point -o two.secret -c key.ctx
same one.secret two.secret

# A cipher and a MAC.
tpm2 create -Q -C primary.ctx -G aes128cfb -u key.pub -r key.priv
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
tpm2 encryptdecrypt -Q -c key.ctx -o encrypted message
tpm2 encryptdecrypt -Q -c key.ctx -d -o decrypted encrypted
same message decrypted
tpm2 create -Q -C primary.ctx -G hmac -u key.pub -r key.priv
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
tpm2 hmac -c key.ctx -o one.mac message
tpm2 hmac -c key.ctx -o two.mac message
same one.mac two.mac

# Not with the wrong password, and with the right one after a change.
tpm2 create -Q -C primary.ctx -G ecc -p first -u key.pub -r key.priv
tpm2 load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
refused 0x98e tpm2 sign -c key.ctx -p second -o signature message
tpm2 changeauth -Q -C primary.ctx -c key.ctx -p first -r new.priv second
tpm2 load -Q -C primary.ctx -u key.pub -r new.priv -c new.ctx
tpm2 sign -Q -c new.ctx -p second -o signature message
