# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion of vnetctl. Verbs, options and keys come from its help, networks and ports from the
# vnetd that is asked, so that nothing here has to be kept up to date.

# Runs the vnetctl of this command line with the options that stand before its verb.
_vnetctl_ask()
{
	"${_vnetctl_command[@]}" "$@" 2>/dev/null
}

_vnetctl_verbs()
{
	_vnetctl_ask help | awk '/^verbs:/ { on = 1; next } !NF { on = 0 } on { print $1 }'
}

# The long options of a verb, or of the program without one.
_vnetctl_options()
{
	_vnetctl_ask help "$@" | grep -oE '^  (-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

# The keys that a verb sets.
_vnetctl_keys()
{
	_vnetctl_ask help "$1" | awk '/^keys:/ { on = 1; next } !NF { on = 0 } on { print $1 }'
}

# The words that a key can have, if there are words: what stands behind it in the list, as in "up|down: ...".
_vnetctl_values()
{
	_vnetctl_ask help "$1" | awk -v key="$2" '
		/^keys:/ { on = 1; next }
		!NF { on = 0 }
		on && $1 == key && $2 ~ /^[a-z|]+:$/ && $2 ~ /[|]/ {
			sub(":", "", $2)
			gsub("[|]", "\n", $2)
			print $2
			print "default"
		}'
}

# The first column of a table without its header and the lines about what is wrong.
_vnetctl_column()
{
	_vnetctl_ask "$@" | awk 'NR > 1 && $1 != "!" { print $1 }'
}

# verb, number of the word, the words so far
_vnetctl_words()
{
	local verb=$1 position=$2
	local words=("${@:3}")

	case $verb:$position in
	help:1) _vnetctl_verbs ;;
	forward:1) printf '%s\n' list add remove ;;
	forward:3) [[ ${words[1]} != list ]] && printf '%s\n' tcp udp ;;
	redirect:1) printf '%s\n' list show kill ;;
	redirect:2) [[ ${words[1]} != list ]] && _vnetctl_column redirect list ;;
	detach:1 | port:1) _vnetctl_column ports ;;
	port:2) printf '%s\n' set unpin ;;
	port:3) [[ ${words[2]} == set ]] && _vnetctl_keys port ;;
	port:4)
		if [[ ${words[3]} == mirror-of ]]; then
			_vnetctl_column ports
		else
			_vnetctl_values port "${words[3]}"
		fi
		;;
	promisc:1) printf '%s\n' list request cancel allow deny revoke ;;
	promisc:2)
		case ${words[1]} in
		list) _vnetctl_column networks ;;
		# Those who wait for an answer, or had one.
		cancel | allow | deny | revoke) _vnetctl_column promisc list ;;
		*) _vnetctl_column ports ;;
		esac
		;;
	create:2 | create:3) printf '%s\n' nat hostonly bridged segment ;;
	# Those who have a reservation.
	unreserve:2) _vnetctl_ask leases "${words[1]}" | awk '/ reserved / { print $2 }' ;;
	set:2) _vnetctl_keys set ;;
	set:3) _vnetctl_values set "${words[2]}" ;;
	forward:2 | show:1 | leases:1 | dns:1 | connections:1 | ports:1 | attach:1 | create:1 | delete:1 | set:1 | \
		libvirt:1 | reserve:1 | unreserve:1 | capture:1 | top:1)
		_vnetctl_column networks ;;
	esac
}

_vnetctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' position=0 i word words=()
	local _vnetctl_command=("${COMP_WORDS[0]}")

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)
			# From here on it is somebody else's command line.
			if declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
			elif ((i + 1 == COMP_CWORD)); then
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			fi
			return
			;;
		--config-dir | --state-dir | --run-dir)
			[[ -z $verb ]] && ((i + 1 < COMP_CWORD)) &&
				_vnetctl_command+=("$word" "${COMP_WORDS[i + 1]}")
			((i++))
			;;
		--netns | --ifname | --fd | --queues | --mac | --name) ((i++)) ;;
		--for | --qmp | --port | --nic | --wait | --repeat | --pid) ((i++)) ;;
		-*) ;;
		*)
			if [[ -z $verb ]]; then
				verb=$word
			fi
			words+=("$word")
			((position++))
			;;
		esac
	done

	case $prev in
	--config-dir | --state-dir | --run-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--netns)
		mapfile -t COMPREPLY < <(compgen -W "$(ip netns list 2>/dev/null | awk '{ print $1 }')" -- "$cur")
		return
		;;
	--port)
		mapfile -t COMPREPLY < <(compgen -W "$(_vnetctl_column ports)" -- "$cur")
		return
		;;
	--qmp)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--ifname | --fd | --queues | --mac | --name) return ;;
	--for | --nic | --wait | --repeat | --pid) return ;;
	esac

	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_vnetctl_options ${verb:+"$verb"})" -- "$cur")
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_vnetctl_verbs)" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_vnetctl_words "$verb" "$position" "${words[@]}")" -- "$cur")
	fi
}

complete -F _vnetctl vnetctl
