using System.CommandLine;
using Bailiwick.Cli.Output;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick completion bash</c>: a script for the shell; the suggestions come from the command itself.
/// </summary>
internal static class CompletionVerb
{
    private const string Bash = """
        _bailiwick() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" \
                -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _bailiwick bailiwick ./bailiwick
        """;

    private const string Zsh = "autoload -U +X bashcompinit && bashcompinit\n" + Bash;

    internal static Command Create(Terminal terminal)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash or zsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        var command = new Command("completion",
            "Print a completion script.\nExample: source <(bailiwick completion bash)") { shell };
        command.SetAction(parsed =>
        {
            terminal.Print(parsed.GetRequiredValue(shell) == "zsh" ? Zsh : Bash);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
