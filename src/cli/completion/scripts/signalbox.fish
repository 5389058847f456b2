# Completion of signalbox for fish: signalbox completion fish > ~/.config/fish/completions/signalbox.fish
function __signalbox_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    # In --file=na, the file name starts after the equals sign.
    set -l before (string match -r -- '^--[^=]+=' "$current")
    set -l value (string replace -r -- '^--[^=]+=' '' "$current")
    switch "$answer[1]"
        case words
            set --erase answer[1]
        case files
            set answer "$before"(__fish_complete_path "$value")
        case directories
            set answer "$before"(__fish_complete_directories "$value")
        case '*'
            return
    end
    string join \n -- $answer
end
complete -c signalbox -f -a '(__signalbox_complete)'
