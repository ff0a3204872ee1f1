# Completion of ec2sh's command lines for bash: instances, hosts of the configuration, flags,
# keywords and verbs.
#
# Instances are those that were seen before (ec2sh list --words reads the cache): a Tab asks nobody.
# Source this file, or put it into ~/.local/share/bash-completion/completions/ as "ec2sh".

# The keywords of ssh_config(5) and ec2sh's own.
_ec2sh_keywords="AddKeysToAgent AddressFamily BatchMode BindAddress BindInterface CASignatureAlgorithms
CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname CanonicalizeMaxDots
CanonicalizePermittedCNAMEs CertificateFile CheckHostIP Ciphers ClearAllForwardings Compression
ConnectTimeout ConnectionAttempts ControlMaster ControlPath ControlPersist DynamicForward
EC2FixKeyPermissions EC2Host EC2Instance EC2Profile EC2PushKey EC2Region EC2ShellFallback
EC2UserFallback EC2Users EC2VerifyHostKey EC2Ways EnableEscapeCommandline EnableSSHKeysign EscapeChar
ExitOnForwardFailure FingerprintHash ForkAfterAuthentication ForwardAgent ForwardX11
ForwardX11Timeout ForwardX11Trusted GSSAPIAuthentication GSSAPIClientIdentity
GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey
GSSAPIServerIdentity GSSAPITrustDns GatewayPorts GlobalKnownHostsFile HashKnownHosts
HostKeyAlgorithms HostKeyAlias HostbasedAcceptedAlgorithms HostbasedAuthentication Hostname IPQoS
IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown KbdInteractiveAuthentication
KbdInteractiveDevices KexAlgorithms KnownHostsCommand LocalCommand LocalForward LogLevel LogVerbose
MACs NoHostAuthenticationForLocalhost NumberOfPasswordPrompts PKCS11Provider PasswordAuthentication
PermitLocalCommand PermitRemoteOpen Port PreferredAuthentications ProxyCommand ProxyJump
ProxyUseFdpass PubkeyAcceptedAlgorithms PubkeyAuthentication RekeyLimit RemoteCommand RemoteForward
RequestTTY RequiredRSASize Resume ResumeBuffer ResumeOverflow ResumeTimeout RevokedHostKeys
SecurityKeyProvider SendEnv ServerAliveCountMax ServerAliveInterval SessionType SetEnv StdinNull
StreamLocalBindMask StreamLocalBindUnlink StrictHostKeyChecking SyslogFacility TCPKeepAlive Tunnel
TunnelDevice UpdateHostKeys User UserKnownHostsFile VerifyHostKeyDNS VisualHostKey XAuthLocation"

# Puts words together again that bash has taken apart at : = and @, up to the cursor.
_ec2sh_split() {
    local line=$COMP_LINE word
    words=()
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -eq 0 || -z $line || $line == [[:blank:]]* ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        line=${line#"$word"}
    done
}

# Adds those of the other words that begin with the first one.
_ec2sh_offer() {
    local begin=$1 word
    shift
    for word; do
        [[ $word != "$begin"* ]] || COMPREPLY+=("$word")
    done
}

_ec2sh_files() {
    local name
    compopt -o filenames 2>/dev/null
    while IFS= read -r name; do COMPREPLY+=("$1$name"); done < <(compgen -f -- "$2")
}

# The names after Host in the files that are read, but for patterns.
_ec2sh_config_hosts() {
    local file key rest name
    for file in "${files[@]}"; do
        [[ -r $file && -f $file ]] || continue
        while read -r key rest; do
            [[ ${key,,} == host ]] || continue
            for name in ${rest//\"/}; do
                [[ $name == *[*?!]* ]] || _ec2sh_offer "$1" "$name"
            done
        done <"$file"
    done
}

_ec2sh_hosts() {
    local begin=$1 program=${words[0]} name noglob=
    case $program in "~"/*) program=$HOME/${program#??} ;; esac
    type -p -- "$program" >/dev/null || program=ec2sh
    # What means something to the shell stands behind a backslash on the line.
    while IFS= read -r name; do
        printf -v name %q "$name"
        COMPREPLY+=("$name")
    done < <(command "$program" list "${passed[@]}" --words -- "${begin//\\/}" 2>/dev/null)
    [[ $- == *f* ]] || noglob=1
    set -f
    _ec2sh_config_hosts "$begin"
    [[ -z $noglob ]] || set +f
    # With bash-completion there are known_hosts as well.
    if declare -F _known_hosts_real >/dev/null; then
        local cur=$begin
        _known_hosts_real -- "$begin"
    fi
}

# Completes the value of a flag: its letter, what stands before the value in the word, the value.
_ec2sh_value() {
    local before=$2 begin=$3 key=
    case $1 in
    E | F | I | i | S) _ec2sh_files "$before" "$begin" ;;
    J) _ec2sh_hosts "${begin##*[,@]}" ;;
    l) _ec2sh_offer "$begin" ec2-user ubuntu admin root $(compgen -u) ;;
    c | m)
        local kind=cipher
        [[ $1 == c ]] || kind=mac
        _ec2sh_offer "$begin" $(command ec2sh -Q $kind 2>/dev/null)
        ;;
    Q)
        _ec2sh_offer "$begin" cipher cipher-auth compression kex key key-cert key-plain key-sig \
            mac protocol-version sig
        ;;
    O) _ec2sh_offer "$begin" cancel check exit forward proxy stop ;;
    o)
        if [[ $begin != *=* ]]; then
            local word
            shopt -q nocasematch || local reset=1
            shopt -s nocasematch
            for word in $_ec2sh_keywords; do
                [[ $word != "$begin"* ]] || COMPREPLY+=("$before$word=")
            done
            [[ -z ${reset-} ]] || shopt -u nocasematch
            compopt -o nospace 2>/dev/null
            return
        fi
        key=${begin%%=*}
        begin=${begin#*=}
        case ${key,,} in
        ec2host | ec2userfallback | ec2pushkey | ec2shellfallback | resume)
            _ec2sh_offer "$begin" auto yes no
            ;;
        ec2verifyhostkey) _ec2sh_offer "$begin" auto no ;;
        ec2ways) _ec2sh_offer "${begin##*,}" direct endpoint ssm ;;
        ec2profile)
            _ec2sh_offer "$begin" $(sed -n 's/^\[\(profile  *\)\{0,1\}\([^] ]*\)\].*/\2/p' \
                ~/.aws/config ~/.aws/credentials 2>/dev/null | sort -u)
            ;;
        stricthostkeychecking) _ec2sh_offer "$begin" ask yes no accept-new ;;
        resumeoverflow) _ec2sh_offer "$begin" auto block drop ;;
        *file | *agent | *path) _ec2sh_files "" "$begin" ;;
        *) _ec2sh_offer "$begin" yes no ;;
        esac
        ;;
    esac
}

_ec2sh() {
    local valued=BbcDEeFIiJLlmOopQRSWw
    local words=() passed=() files=(~/.ssh/config ~/.config/ec2sh/config /etc/ssh/ssh_config)
    local index letter rest word verb= value= host= dashes=
    COMPREPLY=()
    _ec2sh_split
    for ((index = 1; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ -n $value ]]; then
            case $value in
            F) files=("${word/#\~/$HOME}") passed+=("-F${word/#\~/$HOME}") ;;
            o) passed+=("-o$word") ;;
            esac
            value=
        elif [[ $word == -- && -z $host ]]; then
            dashes=1
        elif [[ $word == --* ]]; then
            :
        elif [[ $word == -?* && -z $dashes ]]; then
            for ((rest = 1; rest < ${#word}; rest++)); do
                letter=${word:rest:1}
                [[ $valued == *"$letter"* ]] || continue
                value=$letter
                case $letter${word:rest+1} in
                o?*) passed+=("-o${word:rest+1}") value= ;;
                F?*) files=("${word:rest+1}") passed+=("-F${word:rest+1}") value= ;;
                ??*) value= ;;
                esac
                break
            done
        elif [[ -n $host ]]; then
            # The command's words are for the other side.
            return
        elif [[ $index -eq 1 && " proxy doctor fix list attach " == *" $word "* ]]; then
            verb=$word
        else
            host=$word
        fi
    done
    word=${words[index]-}
    if [[ -n $value ]]; then
        _ec2sh_value "$value" "" "$word"
    elif [[ $word == --* && -z $dashes ]]; then
        case $verb in
        doctor) _ec2sh_offer "$word" --json --security ;;
        list) _ec2sh_offer "$word" --json --words ;;
        fix) _ec2sh_offer "$word" --yes --dry-run --undo ;;
        attach) _ec2sh_offer "$word" --end --json ;;
        esac
    elif [[ $word == -* && -z $dashes ]]; then
        for ((rest = 1; rest < ${#word} - 1; rest++)); do
            letter=${word:rest:1}
            [[ $valued == *"$letter"* ]] || continue
            _ec2sh_value "$letter" "${word:0:rest+1}" "${word:rest+1}"
            return
        done
        _ec2sh_offer "$word" -{4,6,A,a,B,b,C,c,D,E,e,F,f,G,g,I,i,J,K,k,L,l,M,m,N,n,O,o,p,Q,q,R,S,s,T,t,V,v,W,w,X,x,Y,y}
    elif [[ -z $host ]]; then
        [[ $index -ne 1 ]] || _ec2sh_offer "$word" proxy doctor fix list attach
        _ec2sh_hosts "${word##*@}"
    fi
}

complete -F _ec2sh ec2sh
