# NV indices of all types, their locks, and what a restart leaves of them.
tpm2 nvdefine -Q 0x1500001 -C o -s 32 -a "ownerread|ownerwrite|authread|authwrite|writedefine|read_stclear"
refused 0x14a tpm2 nvread 0x1500001 -C o
printf 0123456789abcdef0123456789abcdef >content
tpm2 nvwrite -Q 0x1500001 -C o -i content
tpm2 nvread 0x1500001 -C o >read
same content read
tpm2 nvreadlock -Q 0x1500001 -C o
refused 0x148 tpm2 nvread 0x1500001 -C o
tpm2 nvwritelock -Q 0x1500001 -C o
refused 0x148 tpm2 nvwrite 0x1500001 -C o -i content
refused 0x14c tpm2 nvdefine 0x1500001 -C o -s 32

tpm2 nvdefine -Q 0x1500002 -C o -a "ownerread|ownerwrite|nt=counter"
tpm2 nvincrement -Q 0x1500002 -C o
tpm2 nvread 0x1500002 -C o >first
tpm2 nvincrement -Q 0x1500002 -C o
tpm2 nvread 0x1500002 -C o >second
cmp -s first second && fail "the counter stands still"

tpm2 nvdefine -Q 0x1500003 -C o -a "ownerread|ownerwrite|nt=bits"
tpm2 nvsetbits -Q 0x1500003 -C o -i 0x5
tpm2 nvsetbits -Q 0x1500003 -C o -i 0x8
[ "$(tpm2 nvread 0x1500003 -C o | od -An -v -tx1 | tr -d ' ')" = 000000000000000d ] || fail "other bits"

tpm2 nvdefine -Q 0x1500004 -C o -g sha256 -a "ownerread|ownerwrite|nt=extend"
tpm2 nvextend -Q 0x1500004 -C o -i content
tpm2 nvread 0x1500004 -C o >extended
[ "$(wc -c <extended)" = 32 ] || fail "not a digest"

# With a password, and with a policy.
tpm2 nvdefine -Q 0x1500005 -C o -s 8 -p indexpass -a "authread|authwrite"
echo 1234567 | tpm2 nvwrite -Q 0x1500005 -P indexpass -i -
refused 0x98e tpm2 nvread 0x1500005 -P wrong
tpm2 nvread 0x1500005 -P indexpass >read
tpm2 startauthsession -S session.ctx
tpm2 policypcr -Q -S session.ctx -l sha256:16 -L pcr.policy
tpm2 flushcontext session.ctx
tpm2 nvdefine -Q 0x1500006 -C o -s 8 -L pcr.policy -a "policyread|policywrite"
tpm2 nvwrite -Q 0x1500006 -P pcr:sha256:16 -i read
tpm2 nvread 0x1500006 -P pcr:sha256:16 >again
same read again

# Power goes; what was written stays, the read lock goes, the write lock stays.
stop
serve
tpm2 nvread 0x1500001 -C o >read
same content read
refused 0x148 tpm2 nvwrite 0x1500001 -C o -i content
tpm2 nvread 0x1500002 -C o >again
same second again
tpm2 nvundefine -Q 0x1500001 -C o
refused 0x tpm2 nvread 0x1500001 -C o
[ "$(tpm2 getcap handles-nv-index | grep -c 0x15)" = 5 ] || fail "not five indices are left"
