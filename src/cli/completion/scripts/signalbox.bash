# Completion of signalbox for bash 3.2 and later: source <(signalbox completion bash)
_signalbox() {
  local -a words=()
  local current="$2" whole= part= before= kind= line= i
  # bash splits --status=review into three words and replaces only the last one. The words are joined for the request,
  # and the part before the last one is removed from the answer.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    part="${COMP_WORDS[i]}"
    if ((i == COMP_CWORD)) && [[ $part != '=' ]]; then part="$current"; fi
    if [[ $whole == --*= || ( $part == '=' && $whole == --* && $whole != *=* ) ]]; then
      whole="$whole$part"
      words[${#words[@]}-1]="$whole"
    else
      whole="$part"
      words[${#words[@]}]="$whole"
    fi
  done
  if [[ $current == '=' ]]; then current=; fi
  before="${whole%"$current"}"
  COMPREPLY=()
  {
    IFS= read -r kind
    case "$kind" in
      words)
        while IFS= read -r line; do
          line="${line%%$'\t'*}"
          COMPREPLY[${#COMPREPLY[@]}]="${line#"$before"}"
        done
        ;;
      files | directories)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY[${#COMPREPLY[@]}]="$line"; done < <(
          if [[ $kind == files ]]; then compgen -f -- "$current"; else compgen -d -- "$current"; fi
        )
        ;;
    esac
  } < <("${1/#\~/$HOME}" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _signalbox signalbox
