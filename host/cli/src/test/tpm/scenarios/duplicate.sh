# Keys that move: from one parent to another, and from outside into the TPM.
tpm2 createprimary -Q -C o -G ecc -c first.ctx
tpm2 createprimary -Q -C e -G rsa -c second.ctx
tpm2 readpublic -Q -c second.ctx -o second.pub
tpm2 startauthsession -S session.ctx
tpm2 policycommandcode -Q -S session.ctx -L duplicate.policy TPM2_CC_Duplicate
tpm2 flushcontext session.ctx
tpm2 create -Q -C first.ctx -G ecc -L duplicate.policy -a "sensitivedataorigin|userwithauth|sign" -u key.pub -r key.priv
tpm2 load -Q -C first.ctx -u key.pub -r key.priv -c key.ctx
tpm2 startauthsession --policy-session -S session.ctx
tpm2 policycommandcode -Q -S session.ctx TPM2_CC_Duplicate
tpm2 duplicate -Q -C second.ctx -c key.ctx -G null -r moved.dup -s moved.seed -p session:session.ctx
tpm2 flushcontext session.ctx
tpm2 import -Q -C second.ctx -u key.pub -i moved.dup -s moved.seed -r moved.priv
tpm2 load -Q -C second.ctx -u key.pub -r moved.priv -c moved.ctx
echo "a message" >message
tpm2 sign -Q -c moved.ctx -g sha256 -o signature message
tpm2 verifysignature -Q -c moved.ctx -g sha256 -m message -s signature

# Keys that may not move stay.
tpm2 create -Q -C first.ctx -G ecc -u key.pub -r key.priv
tpm2 load -Q -C first.ctx -u key.pub -r key.priv -c key.ctx
tpm2 startauthsession --policy-session -S session.ctx
tpm2 policycommandcode -Q -S session.ctx TPM2_CC_Duplicate
refused 0x tpm2 duplicate -C second.ctx -c key.ctx -G null -r no.dup -s no.seed -p session:session.ctx
tpm2 flushcontext session.ctx

# A key from outside.
printf 0123456789abcdef >aes.key
tpm2 import -Q -C first.ctx -G aes -i aes.key -u aes.pub -r aes.priv
tpm2 load -Q -C first.ctx -u aes.pub -r aes.priv -c aes.ctx
tpm2 encryptdecrypt -Q -c aes.ctx -o encrypted message
tpm2 encryptdecrypt -Q -c aes.ctx -d -o decrypted encrypted
same message decrypted
