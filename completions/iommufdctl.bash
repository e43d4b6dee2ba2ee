# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for iommufdctl, made by 'iommufdctl completion bash'

_iommufdctl() {
	local line=${COMP_LINE:0:COMP_POINT} words=() cur cmd='' value=''
	local context=() program=0 args=0 i=0 last word list='' options=''
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	last=$((${#words[@]} - 1))
	cur=${words[last]}
	local programs=' run recv ' paths=' recv '
	while ((++i < last)); do
		word=${words[i]}
		case $word in
		--type | -c | --context | --allow | --device | --ioas | --file | --anon | --iova | --rlimit-mode | --socket | --timeout | --mode | --fd | --vfio | --memlock | --user | --check-map | --plan)
			if ((i + 1 == last)); then
				value=$word
			elif [[ $word == -c || $word == --context ]]; then
				context=(-c "${words[++i]}")
			else
				((++i))
			fi
			;;
		--context=* | -c?*) context=("$word") ;;
		--)
			[[ $cmd && $programs == *" $cmd "* ]] && program=$((i + 1))
			[[ ! $cmd ]] || break
			;;
		-*) ;;
		*)
			if [[ ! $cmd ]]; then
				cmd=$word
			elif [[ $programs == *" $cmd "* && ($args != 0 || $paths != *" $cmd "*) ]]; then
				program=$i
				break
			else
				((++args))
			fi
			;;
		esac
	done
	COMPREPLY=()
	if [[ $cmd && ! $value && $cur != -* && $programs == *" $cmd "* ]]; then
		if [[ $paths == *" $cmd "* && $args == 0 ]]; then
			compopt -o default 2>/dev/null
			return
		fi
		((program)) || program=$last
	fi
	if ((program)); then
		if ((program == last)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			compopt -o default 2>/dev/null
		fi
		return
	fi
	if [[ ! $value && $cur == --*=* ]]; then
		value=${cur%%=*}
		cur=${cur#*=}
	fi
	case $value in
	'')
		case $cmd in
		'')
			list='list show create map unmap set destroy device context hold graph monitor run recv devices doctor completion help'
			options=' --context --json --help --version'
			;;
		list)
			options=' --type --tree --context --json --help --version'
			;;
		show)
			options=' --context --json --help --version'
			list=@objects
			;;
		create)
			options=' --allow --no-huge-pages --device --ioas --context --json --help --version'
			list='ioas hwpt fault'
			;;
		map)
			options=' --file --anon --iova --read-only --context --json --help --version'
			list=''
			((args)) || list=@objects
			;;
		unmap)
			options=' --all --context --json --help --version'
			list=''
			((args)) || list=@objects
			;;
		set)
			options=' --context --json --help --version'
			list='huge-pages=on huge-pages=off allow=none'
			((args)) || list=@objects
			;;
		destroy)
			options=' --recursive --context --json --help --version'
			list=@objects
			;;
		device)
			options=' --context --json --help --version'
			list='bind attach detach unbind list'
			((!args)) || list=@objects
			;;
		context)
			options=' --rlimit-mode --context --json --help --version'
			list='create list destroy'
			((!args)) || list=@names
			;;
		hold)
			options=' --socket --once --timeout --mode --rlimit-mode --context --json --help --version'
			;;
		graph)
			options=' --context --json --help --version'
			;;
		monitor)
			options=' --context --json --help --version'
			;;
		run)
			options=' --new --fd --rlimit-mode --vfio --memlock --user --context --json --help --version'
			;;
		recv)
			options=' --fd --context --json --help --version'
			;;
		devices)
			options=' --check-map --context --json --help --version'
			list=@devices
			;;
		doctor)
			options=' --plan --context --json --help --version'
			;;
		completion)
			options=' --context --json --help --version'
			list='bash zsh fish'
			;;
		help)
			options=' --context --json --help --version'
			list='list show create map unmap set destroy device context hold graph monitor run recv devices doctor completion help'
			;;
		esac
		[[ $cur != -* ]] || list=$options
		;;
	--type) list='ioas hwpt-paging hwpt-nested device access fault' ;;
	-c | --context) list=@contexts ;;
	--allow)  ;;
	--device) list=@objects ;;
	--ioas) list=@objects ;;
	--file) list=@files ;;
	--anon)  ;;
	--iova)  ;;
	--rlimit-mode) list='user process' ;;
	--socket) list=@files ;;
	--timeout)  ;;
	--mode)  ;;
	--fd)  ;;
	--vfio)  ;;
	--memlock)  ;;
	--user)  ;;
	--check-map) list=@files ;;
	--plan) list='mem=4G,devices=1 mem=4G,devices=1,viommu' ;;
	esac
	if [[ $list == @files ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	else
		[[ $list != @* ]] ||
			list=$(iommufdctl "${context[@]}" completion "${list#@}" \
				2>/dev/null </dev/null | cut -f 1)
		mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur")
	fi
	if [[ $cur == *[:=]* && $COMP_WORDBREAKS == *[:=]* ]]; then
		word=${cur%"${cur##*[:=]}"}
		COMPREPLY=("${COMPREPLY[@]#"$word"}")
	fi
}
complete -F _iommufdctl iommufdctl
