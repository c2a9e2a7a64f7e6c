# Policies: or, password, secret of another entity, signed, authorized, command,
# locality, NV, duplication is elsewhere.
echo "a secret" >secret
echo "a message" >message
tpm2 createprimary -Q -C o -G ecc -c primary.ctx

# Either PCR 23 is zero, or it is known to have been extended.
tpm2 startauthsession -S session.ctx
tpm2 policypcr -Q -S session.ctx -l sha256:23 -L one.policy
tpm2 flushcontext session.ctx
tpm2 pcrextend 23:sha256=0000000000000000000000000000000000000000000000000000000000000001
tpm2 startauthsession -S session.ctx
tpm2 policypcr -Q -S session.ctx -l sha256:23 -L two.policy
tpm2 flushcontext session.ctx
tpm2 startauthsession -S session.ctx
tpm2 policyor -Q -S session.ctx -L or.policy sha256:one.policy,two.policy
tpm2 flushcontext session.ctx
tpm2 create -Q -C primary.ctx -L or.policy -i secret -u sealed.pub -r sealed.priv
tpm2 load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx
tpm2 startauthsession -S session.ctx --policy-session
tpm2 policypcr -Q -S session.ctx -l sha256:23
tpm2 policyor -Q -S session.ctx sha256:one.policy,two.policy
tpm2 unseal -c sealed.ctx -p session:session.ctx -o unsealed
same secret unsealed
tpm2 flushcontext session.ctx

# A password besides, and the owner's consent.
tpm2 changeauth -c owner ownerpass
tpm2 startauthsession -S session.ctx
tpm2 policysecret -Q -S session.ctx -c owner ownerpass
tpm2 policyauthvalue -Q -S session.ctx -L consent.policy
tpm2 flushcontext session.ctx
tpm2 create -Q -C primary.ctx -L consent.policy -p sealpass -i secret -u sealed.pub -r sealed.priv
tpm2 load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx
tpm2 startauthsession -S session.ctx --policy-session
tpm2 policysecret -Q -S session.ctx -c owner ownerpass
tpm2 policyauthvalue -Q -S session.ctx
tpm2 unseal -c sealed.ctx -p session:session.ctx+sealpass -o unsealed
same secret unsealed
tpm2 flushcontext session.ctx
tpm2 startauthsession -S session.ctx --policy-session
refused 0x9a2 tpm2 policysecret -S session.ctx -c owner wrong
tpm2 flushcontext session.ctx
tpm2 changeauth -c owner -p ownerpass

# Signed by a key, whose owner can so agree to policies that come later.
tpm2 create -Q -C primary.ctx -G ecc -u signer.pub -r signer.priv
tpm2 load -Q -C primary.ctx -u signer.pub -r signer.priv -c signer.ctx -n signer.name
tpm2 startauthsession -S session.ctx
tpm2 flushcontext session.ctx
tpm2 startauthsession -S session.ctx
tpm2 policycommandcode -Q -S session.ctx -L unseal.policy TPM2_CC_Unseal
tpm2 flushcontext session.ctx
tpm2 create -Q -C primary.ctx -L unseal.policy -i secret -u sealed.pub -r sealed.priv
tpm2 load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx
tpm2 startauthsession -S session.ctx --policy-session
tpm2 policycommandcode -Q -S session.ctx TPM2_CC_Unseal
tpm2 unseal -c sealed.ctx -p session:session.ctx -o unsealed
same secret unsealed
tpm2 flushcontext session.ctx
tpm2 startauthsession -S session.ctx --policy-session
tpm2 policycommandcode -Q -S session.ctx TPM2_CC_ObjectChangeAuth
refused 0x99d tpm2 unseal -c sealed.ctx -p session:session.ctx
tpm2 flushcontext session.ctx
