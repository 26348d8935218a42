# Machines of other kernels and architectures, in qemu, for the scripts beside it: roots that are unpacked and not run, Debian's
# kernels, images, and booting. Sourced after `roots.sh`.

for tool in curl cpio zstd xz dpkg-deb; do type -P "$tool" >/dev/null || stop "$tool is missing"; done

# Prints the kept folder of SUITE for ARCH with PACKAGES, unpacked: nothing of it is run, so any architecture will do. Not the
# caller's to change.
unpacked_root() {
    local arch=$1 suite=$2 packages=$3 mirror kept package folder
    kept=$roots/$suite-$arch-with-$(cksum <<<"$packages" | cut -d ' ' -f 1)
    if [[ ! -e $kept/.complete ]]; then
        mirror=$(mirror_of "$suite")
        [[ -n $mirror ]] || return 77
        mkdir -p "$roots"
        rm -rf "$kept"
        debootstrap --arch="$arch" --foreign --variant=minbase --include="$packages" "$suite" "$kept" "$mirror" \
            >"$roots/$suite-$arch.log" 2>&1 || { tail -n 5 "$roots/$suite-$arch.log" >&2 && return 1; }
        for package in "$kept"/var/cache/apt/archives/*.deb; do
            dpkg-deb --fsys-tarfile "$package" | tar -x -C "$kept" --keep-directory-symlink
        done
        # What the packages' scripts would do: one folder of programs and one of libraries, and sh.
        for folder in bin sbin lib lib64; do
            if [[ -d $kept/$folder && ! -L $kept/$folder ]]; then
                mkdir -p "$kept/usr/$folder"
                cp -a "$kept/$folder/." "$kept/usr/$folder"
                rm -rf "${kept:?}/$folder"
            fi
            [[ -L $kept/$folder || ! -d $kept/usr/$folder ]] || ln -s "usr/$folder" "$kept/$folder"
        done
        rm -rf "$kept/var/cache/apt" "$kept/debootstrap"
        touch "$kept/.complete"
    fi
    echo "$kept"
}

# Prints the kept list of the packages of SUITE for ARCH, a day old at most: the newest kernel of a
# suite is another one from day to day. 77 where there is none.
package_list() {
    local arch=$1 suite=$2 mirror index
    mirror=$(mirror_of "$suite")
    [[ -n $mirror ]] || return 77
    index=$roots/$suite-$arch.packages
    [[ -n $(find "$index" -size +0 -mtime -1 2>/dev/null) ]] || {
        mkdir -p "$roots"
        curl -sSf "${mirror%/}/dists/$suite/main/binary-$arch/Packages.xz" | xz -dc >"$index.new" || return 77
        mv "$index.new" "$index"
    }
    echo "$index"
}

# Prints the kept kernel of the newest package of SUITE for ARCH whose name matches PATTERN: an extended regular expression for
# what follows linux-image- or linux-binary-. 77 where there is none.
kernel() {
    local arch=$1 suite=$2 pattern=$3 mirror index file sum kept
    index=$(package_list "$arch" "$suite") || return
    mirror=$(mirror_of "$suite")
    # A newer linux-image is empty, and linux-binary has what it had.
    read -r file sum < <(awk -v pattern="^linux-(image|binary)-$pattern\$" '
        /^Package: / { wanted = $2 ~ pattern } /^Filename: / { file = $2 } /^Size: / { size = $2 }
        /^SHA256: / { if (wanted && size > 1000000) found = file " " $2 } END { print found }' "$index")
    [[ -n ${file-} ]] || return 77
    kept=$roots/kernel-$arch-$(basename "$file" .deb)
    if [[ ! -s $kept/vmlinuz ]]; then
        mkdir -p "$kept"
        curl -sSf -o "$kept/deb" "${mirror%/}/$file" || return 1
        sha256sum -c --quiet <<<"$sum  $kept/deb" >&2 || return 1
        dpkg-deb --fsys-tarfile "$kept/deb" | tar -x -O --wildcards '*/vmlinuz*' >"$kept/vmlinuz" || return 1
        rm "$kept/deb"
    fi
    echo "$kept/vmlinuz"
}

# Packs ROOT, without what no test reads, and FOLDER as /percolate-test into IMAGE. The first program is FOLDER/init.
make_image() {
    local root=$1 folder=$2 image=$3 tree
    tree=$(mktemp -d "$roots/tree.XXXXXX")
    cp -a "$root/." "$tree"
    rm -rf "$tree"/usr/{include,share/{doc,man,locale,info,i18n,lintian,zoneinfo},lib/gcc,lib/gcc-cross,libexec/gcc} \
        "$tree"/usr/bin/*-linux-gnu-* "$tree"/var/lib/{apt,dpkg}
    find "$tree" \( -name '*.a' -o -name '*.pyc' \) -delete
    # Unpacking has left a link at some of these.
    rm -rf "$tree"/{proc,sys,dev,tmp}
    mkdir -p "$tree/percolate-test" "$tree"/{proc,sys,dev,tmp}
    cp -a "$folder/." "$tree/percolate-test"
    ln -sf percolate-test/init "$tree/init"
    # What installing them would choose.
    ln -sf dash "$tree/usr/bin/sh"
    ln -sf mawk "$tree/usr/bin/awk"
    (cd "$tree" && find . -print0 | cpio --null --create --format=newc --quiet) | zstd -q -1 -T0 -f -o "$image"
    rm -rf "$tree"
}

# Makes FOLDER, with the headers of sections that have delays in them, as the tests do
# (`Headers.swift`).
delayed_headers() {
    mkdir -p "$1/percolate"
    {
        echo '#define SECTIONS_ARE_DELAYED'
        sed 's|/\* \([0-9]\) \*/|SECTION_DELAY(\1)|g; s|"cc", PERCOLATE_STEP_CLOBBERS$|&, SECTION_DELAY_CLOBBER|' \
            Sources/CPercolate/include/percolate/rseq_ops.h
    } >"$1/percolate/rseq_ops.h"
}

# Boots KERNEL and IMAGE on a machine of ARCH and prints what it says, until it powers off. More words are for the kernel; MACHINE
# is an array of further options for qemu. Emulated, on whatever machine this is.
boot() {
    local arch=$1 kernel=$2 image=$3 qemu machine console patient
    case $arch in
        arm64) qemu=qemu-system-aarch64 console=ttyAMA0 machine=(-M virt -cpu max,pauth=off -accel tcg,thread=multi) ;;
        amd64) qemu=qemu-system-x86_64 console=ttyS0 machine=(-M q35 -cpu max -accel tcg,thread=multi) ;;
    esac
    type -P "$qemu" >/dev/null || stop "$qemu is missing"
    # The emulated CPUs share those of this machine, and its load. A kernel that calls a CPU stalled
    # after 20 seconds of this machine's clock would judge that load. So it waits as long as it can
    # be told to. No program can make it wait that long: an interrupt of the clock in user mode is
    # enough. Nor does it give up when the timer is late while it boots.
    patient='rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60 no_timer_check'
    timeout "${MACHINE_SECONDS:-900}" "$qemu" "${machine[@]}" -m 3072 "${MACHINE[@]}" -nodefaults -display none -no-reboot \
        -serial stdio -kernel "$kernel" -initrd "$image" \
        -append "console=$console quiet panic=-1 rdinit=/init $patient ${*:4}" </dev/null
}
