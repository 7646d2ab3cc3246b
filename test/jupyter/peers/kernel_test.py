"""jupyter_kernel_test on the example kernel: what each of its tests needs, in TypeScript."""

import unittest

from jupyter_kernel_test import KernelTests


class TypeScriptKernel(KernelTests):
    kernel_name = "countersign-typescript"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = 'console.log("hello, world")'
    code_stderr = 'console.error("something went wrong")'
    completion_samples = [
        {"text": "JSON.str", "matches": ["stringify"]},
        {"text": "const n: number = Math.sqr", "matches": ["sqrt"]},
    ]
    complete_code_samples = ["1 + 1", "const f = (n: number): number => n * 2", "await Promise.resolve(1)"]
    incomplete_code_samples = ["function f() {", "const a = [1,", "`a template", "if (true) {", "/* a comment"]
    invalid_code_samples = ["let 1x = 2", "function (", "a b c"]
    code_page_something = 'page("a long text")'
    code_generate_error = 'throw new TypeError("no")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "const twice = (n: number): number => n * 2; twice(4)", "result": "8"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "6 * 7", "result": "42"},
    ]
    code_display_data = [
        {"code": "display(html`<b>bold</b>`)", "mime": "text/html"},
        {"code": "display(svg`<svg/>`)", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "6 * ?"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "JSON"
    code_clear_output = "clear()"


if __name__ == "__main__":
    unittest.main(verbosity=2)
