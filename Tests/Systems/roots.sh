# Roots of other systems, for the scripts beside it: made by debootstrap from the mirror that this machine's apt uses, kept in
# PERCOLATE_ROOTS (/var/tmp/percolate-roots), and copied for each use.

roots=${PERCOLATE_ROOTS:-/var/tmp/percolate-roots}

stop() {
    echo "${0##*/}: $*" >&2
    exit 1
}

((EUID == 0)) || stop "only root can make and enter the root of another system"
for tool in debootstrap unshare chroot; do type -P "$tool" >/dev/null || stop "$tool is missing"; done

# The mirror of Debian that apt is set to; of Ubuntu only what PERCOLATE_UBUNTU_MIRROR says.
mirror_of() {
    case $1 in
        xenial | bionic | focal | jammy) echo "${PERCOLATE_UBUNTU_MIRROR:-}" ;;
        *) apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | sed -n 1p ;;
    esac
}

# Prints the folder of a new copy of SUITE with PACKAGES, which is the caller's to remove. 77 where no mirror has it.
new_root() {
    local suite=$1 packages=${2:-} mirror kept copy check=()
    kept=$roots/$suite-with-$(cksum <<<"$packages" | cut -d ' ' -f 1)
    if [[ ! -e $kept/.complete ]]; then
        mirror=$(mirror_of "$suite")
        [[ -n $mirror ]] || return 77
        mkdir -p "$roots"
        rm -rf "$kept"
        # This machine has no keys of Ubuntu.
        [[ $mirror != "${PERCOLATE_UBUNTU_MIRROR:-}" ]] || check=(--no-check-gpg)
        debootstrap "${check[@]}" --variant=minbase ${packages:+--include="$packages"} "$suite" "$kept" "$mirror" \
            >"$roots/$suite.log" 2>&1 || { tail -n 5 "$roots/$suite.log" >&2 && return 1; }
        touch "$kept/.complete"
    fi
    copy=$(mktemp -d "$roots/$suite.XXXXXX")
    cp -a "$kept/." "$copy"
    cp /etc/resolv.conf "$copy/etc/resolv.conf"
    echo "$copy"
}

# Runs a command in ROOT, with /proc and /tmp of its own and this machine's /dev and /sys; the mounts end with it. ROOT_BINDS
# names folders of this machine that it sees under their own names, but cannot write to, and ROOT_PATH more folders of programs.
in_root() {
    local root=$1
    shift
    # shellcheck disable=SC2016
    ROOT=$root unshare --mount --propagation private --pid --fork --kill-child bash -c '
        set -e
        # A root that is no mount point could make no mount namespaces of its own (unshare(1)).
        mount --bind "$ROOT" "$ROOT"
        mount -t proc proc "$ROOT/proc"
        mount --rbind /dev "$ROOT/dev"
        mount --rbind /sys "$ROOT/sys"
        mount -t tmpfs tmpfs "$ROOT/tmp"
        for folder in $ROOT_BINDS; do
            mkdir -p "$ROOT$folder"
            mount --bind "$folder" "$ROOT$folder"
            mount -o remount,bind,ro "$ROOT$folder"
        done
        exec chroot "$ROOT" /usr/bin/env -i PATH="${ROOT_PATH:+$ROOT_PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root \
            LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' bash "$@" </dev/null
}
