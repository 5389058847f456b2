#compdef signalbox
# Completion of signalbox for zsh: source <(signalbox completion zsh), or this as a file _signalbox in $fpath
_signalbox() {
  local program="${(Q)words[1]/#\~/$HOME}" line text about
  local -a answer described
  answer=("${(@f)$("$program" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  case "${answer[1]}" in
    words)
      for line in "${(@)answer[2,-1]}"; do
        text="${line%%$'\t'*}"
        about="${${line#"$text"}#$'\t'}"
        described+=("${text//:/\\:}${about:+:$about}")
      done
      _describe 'signalbox' described
      ;;
    files | directories)
      if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
      if [[ ${answer[1]} == files ]]; then _files; else _files -/; fi
      ;;
  esac
}
if [[ "${funcstack[1]}" == _signalbox ]]; then _signalbox "$@"; else compdef _signalbox signalbox; fi
