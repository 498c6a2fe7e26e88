# Sourced: tells uv what pip has been told about indexes, unless uv has settings of its own.
# The project names no index, and most people and companies keep theirs in pip's configuration.
follow_pip() {
    local key value
    if [[ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}${UV_CONFIG_FILE:-}" ]] \
        || [[ -e "${XDG_CONFIG_HOME:-${HOME:-/}/.config}/uv/uv.toml" || -e /etc/uv/uv.toml ]]; then
        return 0
    fi
    while IFS='=' read -r key value; do
        value="${value#\'}" value="${value%\'}"
        case "${key##*.}" in
            index-url) export UV_DEFAULT_INDEX="$value" ;;
            extra-index-url) export UV_INDEX="${value//\\n/ }" ;;
            cert) export SSL_CERT_FILE="$value" ;;
        esac
    done < <("$1" -m pip config list)
}
