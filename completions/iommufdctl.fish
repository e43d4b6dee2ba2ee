# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for iommufdctl, made by 'iommufdctl completion fish'

# prints the command on the line and its arguments, a line each; fails where
# none is there yet
function __iommufdctl_command
    set -l words (commandline -opc)
    set -l met
    set -l skip
    for word in $words[2..-1]
        if set -q skip[1]
            set skip
            continue
        end
        switch $word
            case --type -c --context --allow --device --ioas --file --anon --iova --rlimit-mode --socket --timeout --mode --fd --vfio --memlock --user --check-map --plan
                set skip yes
            case '-*'
            case '*'
                set -a met $word
        end
    end
    set -q met[1] && printf '%s\n' $met
end

# is it this command, and (0 or 1) does it have an argument?
function __iommufdctl_is
    set -l met (__iommufdctl_command)
    test "$met[1]" = $argv[1] || return 1
    set -q argv[2] || return 0
    set -q met[2]
    test $status -ne $argv[2]
end

# words of the context that -c chose so far: contexts or objects
function __iommufdctl_live
    set -l words (commandline -opc)
    set -l chosen
    set -l last
    for word in $words[2..-1]
        if contains -- "$last" -c --context
            set chosen -c $word
        else if string match -qr -- '^(--context=|-c.)' $word
            set chosen $word
        end
        set last $word
    end
    iommufdctl $chosen completion $argv[1] 2>/dev/null </dev/null
end

complete -c iommufdctl -f
complete -c iommufdctl -s c -l context -x -a '(__iommufdctl_live contexts)' -d 'the context: fd:N, pid:PID, pid:PID:FD, its id, or a name; else $IOMMUFDCTL_CONTEXT, else the one named \'default\''
complete -c iommufdctl -l json -d 'write JSON, errors too'
complete -c iommufdctl -s h -l help -d 'print this text'
complete -c iommufdctl -s V -l version -d 'print the version'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a list -d 'show contexts, their objects and who holds them'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a show -d 'show one object in full'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a create -d 'make an object and print its id'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a map -d 'map memory into an ioas and print where'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a unmap -d 'end mappings of an ioas'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a set -d 'change an ioas'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a destroy -d 'end the life of objects'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a device -d 'bring devices into a context'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a context -d 'start, show and end holders of named contexts'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a hold -d 'keep a context open and hand it over'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a graph -d 'print the objects as a graph for Graphviz'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a monitor -d 'tell of objects as they come and go'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a run -d 'run a program with a context'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a recv -d 'run a program with a context from a socket'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a devices -d 'show devices that a VM can be given, or why not'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a doctor -d 'tell what this host lacks, and how to mend it'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a completion -d 'print a shell\'s completion script'
complete -c iommufdctl -n 'not __iommufdctl_command >/dev/null' -a help -d 'tell what there is, or more of one command'
complete -c iommufdctl -n '__iommufdctl_is list' -l type -x -a 'ioas hwpt-paging hwpt-nested device access fault' -d 'only objects of this type: ioas, hwpt-paging, hwpt-nested, device, access or fault'
complete -c iommufdctl -n '__iommufdctl_is list' -l tree -d 'as a tree: below each object what it uses'
complete -c iommufdctl -n '__iommufdctl_is show' -a '(__iommufdctl_live objects)'
complete -c iommufdctl -n '__iommufdctl_is create' -l allow -x -d 'of an ioas: set this range aside for mappings; may be given again'
complete -c iommufdctl -n '__iommufdctl_is create' -l no-huge-pages -d 'of an ioas: page tables may not use large pages'
complete -c iommufdctl -n '__iommufdctl_is create' -l device -x -a '(__iommufdctl_live objects)' -d 'of a hwpt: the device that it is for'
complete -c iommufdctl -n '__iommufdctl_is create' -l ioas -x -a '(__iommufdctl_live objects)' -d 'of a hwpt: the ioas whose mappings it has'
complete -c iommufdctl -n '__iommufdctl_is create' -a 'ioas hwpt fault'
complete -c iommufdctl -n '__iommufdctl_is map' -l file -r -F -d 'the whole of this file: a memfd (/proc/PID/fd/FD), or one on tmpfs or hugetlbfs'
complete -c iommufdctl -n '__iommufdctl_is map' -l anon -x -d 'new memory of this size, which goes with the mapping'
complete -c iommufdctl -n '__iommufdctl_is map' -l iova -x -d 'where to; else the kernel chooses'
complete -c iommufdctl -n '__iommufdctl_is map' -l read-only -d 'devices may not write there'
complete -c iommufdctl -n '__iommufdctl_is map 0' -a '(__iommufdctl_live objects)'
complete -c iommufdctl -n '__iommufdctl_is unmap' -l all -d 'all that is mapped, if anything is'
complete -c iommufdctl -n '__iommufdctl_is unmap 0' -a '(__iommufdctl_live objects)'
complete -c iommufdctl -n '__iommufdctl_is set 0' -a '(__iommufdctl_live objects)'
complete -c iommufdctl -n '__iommufdctl_is set 1' -a 'huge-pages=on huge-pages=off allow=none'
complete -c iommufdctl -n '__iommufdctl_is destroy' -l recursive -d 'destroy what uses an object before the object'
complete -c iommufdctl -n '__iommufdctl_is destroy' -a '(__iommufdctl_live objects)'
complete -c iommufdctl -n '__iommufdctl_is device; and not __fish_seen_subcommand_from bind attach detach unbind list' -a 'bind attach detach unbind list'
complete -c iommufdctl -n '__iommufdctl_is device; and __fish_seen_subcommand_from bind attach detach unbind list' -a '(__iommufdctl_live objects)'
complete -c iommufdctl -n '__iommufdctl_is context' -l rlimit-mode -x -a 'user process' -d 'whom its pinned memory is charged to'
complete -c iommufdctl -n '__iommufdctl_is context; and not __fish_seen_subcommand_from create list destroy' -a 'create list destroy'
complete -c iommufdctl -n '__iommufdctl_is context; and __fish_seen_subcommand_from create list destroy' -a '(__iommufdctl_live names)'
complete -c iommufdctl -n '__iommufdctl_is hold' -l socket -r -F -d 'hand over at this socket, and give the context no name'
complete -c iommufdctl -n '__iommufdctl_is hold' -l once -d 'end when one client has been served'
complete -c iommufdctl -n '__iommufdctl_is hold' -l timeout -x -d 'the time that a client has to answer (10), and with --once also until one has been served (any)'
complete -c iommufdctl -n '__iommufdctl_is hold' -l mode -x -d 'the socket\'s permissions (0600); with any for others than its user, whoever can connect may have the context'
complete -c iommufdctl -n '__iommufdctl_is hold' -l rlimit-mode -x -a 'user process' -d 'whom pinned memory is charged to'
complete -c iommufdctl -n '__iommufdctl_is run' -l new -d 'with a fresh context (so it is without -c)'
complete -c iommufdctl -n '__iommufdctl_is run' -l fd -x -d 'the descriptor that the program has it at (3)'
complete -c iommufdctl -n '__iommufdctl_is run' -l rlimit-mode -x -a 'user process' -d 'whom a fresh context\'s pinned memory is charged to'
complete -c iommufdctl -n '__iommufdctl_is run' -l vfio -x -d 'with this PCI device\'s VFIO character device, too; can be repeated'
complete -c iommufdctl -n '__iommufdctl_is run' -l memlock -x -d 'the program\'s limit on locked memory: bytes, 512M, 8G, or \'unlimited\''
complete -c iommufdctl -n '__iommufdctl_is run' -l user -x -d 'run it as this user, with the user\'s groups'
complete -c iommufdctl -n '__iommufdctl_is run' -a '(__fish_complete_subcommand --fcs-skip=2 --type -c --context --allow --device --ioas --file --anon --iova --rlimit-mode --socket --timeout --mode --fd --vfio --memlock --user --check-map --plan)'
complete -c iommufdctl -n '__iommufdctl_is recv' -l fd -x -d 'the descriptor that the program has it at (3)'
complete -c iommufdctl -n '__iommufdctl_is recv' -F
complete -c iommufdctl -n '__iommufdctl_is recv' -a '(__fish_complete_subcommand --fcs-skip=3 --type -c --context --allow --device --ioas --file --anon --iova --rlimit-mode --socket --timeout --mode --fd --vfio --memlock --user --check-map --plan)'
complete -c iommufdctl -n '__iommufdctl_is devices' -l check-map -r -F -d 'hold the guest memory map in this file against the addresses that the devices cannot be given, and show what collides'
complete -c iommufdctl -n '__iommufdctl_is devices' -a '(__iommufdctl_live devices)'
complete -c iommufdctl -n '__iommufdctl_is doctor' -l plan -x -a 'mem=4G,devices=1 mem=4G,devices=1,viommu' -d 'hold the limits against a virtual machine, as mem=32G,devices=2[,viommu]'
complete -c iommufdctl -n '__iommufdctl_is completion' -a 'bash zsh fish'
complete -c iommufdctl -n '__iommufdctl_is help' -a list -d 'show contexts, their objects and who holds them'
complete -c iommufdctl -n '__iommufdctl_is help' -a show -d 'show one object in full'
complete -c iommufdctl -n '__iommufdctl_is help' -a create -d 'make an object and print its id'
complete -c iommufdctl -n '__iommufdctl_is help' -a map -d 'map memory into an ioas and print where'
complete -c iommufdctl -n '__iommufdctl_is help' -a unmap -d 'end mappings of an ioas'
complete -c iommufdctl -n '__iommufdctl_is help' -a set -d 'change an ioas'
complete -c iommufdctl -n '__iommufdctl_is help' -a destroy -d 'end the life of objects'
complete -c iommufdctl -n '__iommufdctl_is help' -a device -d 'bring devices into a context'
complete -c iommufdctl -n '__iommufdctl_is help' -a context -d 'start, show and end holders of named contexts'
complete -c iommufdctl -n '__iommufdctl_is help' -a hold -d 'keep a context open and hand it over'
complete -c iommufdctl -n '__iommufdctl_is help' -a graph -d 'print the objects as a graph for Graphviz'
complete -c iommufdctl -n '__iommufdctl_is help' -a monitor -d 'tell of objects as they come and go'
complete -c iommufdctl -n '__iommufdctl_is help' -a run -d 'run a program with a context'
complete -c iommufdctl -n '__iommufdctl_is help' -a recv -d 'run a program with a context from a socket'
complete -c iommufdctl -n '__iommufdctl_is help' -a devices -d 'show devices that a VM can be given, or why not'
complete -c iommufdctl -n '__iommufdctl_is help' -a doctor -d 'tell what this host lacks, and how to mend it'
complete -c iommufdctl -n '__iommufdctl_is help' -a completion -d 'print a shell\'s completion script'
complete -c iommufdctl -n '__iommufdctl_is help' -a help -d 'tell what there is, or more of one command'
