/** Messages of programs of many kinds, each list one error: a sample to measure grouping with. */
export const SAMPLE: Readonly<Record<string, readonly string[]>> = {
  'ruby no method': [
    "NoMethodError: undefined method `name' for nil:NilClass",
    "NoMethodError: undefined method `each_pair' for nil:NilClass",
    "NoMethodError: undefined method `total' for nil:NilClass\n\tfrom app/models/order.rb:12:in `sum'",
  ],
  'ruby cannot load': [
    'LoadError: cannot load such file -- nokogiri',
    'LoadError: cannot load such file -- pg/ext',
    'LoadError: cannot load such file -- /srv/app/lib/tasks.rb',
  ],
  'php undefined function': [
    'PHP Fatal error:  Uncaught Error: Call to undefined function mb_strlen() in /var/www/html/index.php:14',
    'PHP Fatal error:  Uncaught Error: Call to undefined function curl_init() in /srv/app/src/Client.php:220',
    'PHP Fatal error:  Uncaught Error: Call to undefined function imagecreate() in C:\\web\\draw.php:3',
  ],
  'php memory': [
    'PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /srv/a.php on line 9',
    'PHP Fatal error:  Allowed memory size of 536870912 bytes exhausted (tried to allocate 4096 bytes) in /home/me/b.php on line 1033',
  ],
  'dotnet null': [
    'System.NullReferenceException: Object reference not set to an instance of an object.\n   at Acme.Orders.Total() in /src/Orders.cs:line 41',
    'System.NullReferenceException: Object reference not set to an instance of an object.',
  ],
  'dotnet file': [
    "System.IO.FileNotFoundException: Could not find file '/app/appsettings.Local.json'.",
    "System.IO.FileNotFoundException: Could not find file 'C:\\jobs\\in.csv'.",
  ],
  'csharp CS0246': [
    "Program.cs(3,7): error CS0246: The type or namespace name 'Newtonsoft' could not be found (are you missing a using directive or an assembly reference?) [/src/app.csproj]",
    "Data/Store.cs(17,12): error CS0246: The type or namespace name 'DbContext' could not be found (are you missing a using directive or an assembly reference?) [/src/data.csproj]",
  ],
  'csharp CS0103': [
    "Program.cs(9,1): error CS0103: The name 'config' does not exist in the current context [/src/app.csproj]",
    "Web/Home.cs(77,13): error CS0103: The name 'Logger' does not exist in the current context [/src/web.csproj]",
  ],
  'kubernetes image': [
    'Failed to pull image "registry.acme.io/api:1.4.2": rpc error: code = NotFound desc = failed to pull and unpack image',
    'Failed to pull image "nginx:nope": rpc error: code = NotFound desc = failed to pull and unpack image',
  ],
  'kubernetes not found': [
    'Error from server (NotFound): pods "api-7d9f8-x2k4p" not found',
    'Error from server (NotFound): pods "worker-0" not found',
  ],
  'kubernetes forbidden': [
    'Error from server (Forbidden): pods is forbidden: User "ci" cannot list resource "pods" in API group "" in the namespace "prod"',
    'Error from server (Forbidden): pods is forbidden: User "dev-3" cannot list resource "pods" in API group "" in the namespace "default"',
  ],
  'aws access denied': [
    'An error occurred (AccessDenied) when calling the PutObject operation: Access Denied',
    'An error occurred (AccessDenied) when calling the PutObject operation: Access Denied.',
  ],
  'aws throttled': [
    'An error occurred (ThrottlingException) when calling the DescribeInstances operation (reached max retries: 4): Rate exceeded',
    'An error occurred (ThrottlingException) when calling the DescribeInstances operation (reached max retries: 9): Rate exceeded',
  ],
  'postgres duplicate': [
    'ERROR:  duplicate key value violates unique constraint "users_email_key"',
    'ERROR:  duplicate key value violates unique constraint "runs_pkey"\nDETAIL:  Key (run_id)=(7) already exists.',
    'ERROR:  duplicate key value violates unique constraint "orders_number_idx"',
  ],
  'postgres role': ['FATAL:  role "app" does not exist', 'FATAL:  role "postgres2" does not exist'],
  'postgres auth': [
    'FATAL:  password authentication failed for user "app"',
    'FATAL:  password authentication failed for user "ci_7"',
  ],
  'mysql denied': [
    "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)",
    "ERROR 1045 (28000): Access denied for user 'app'@'10.0.3.17' (using password: YES)",
  ],
  'mysql table': [
    "ERROR 1146 (42S02) at line 3: Table 'shop.orders' doesn't exist",
    "ERROR 1146 (42S02) at line 112: Table 'shop.users_old' doesn't exist",
  ],
  'redis moved': ['ReplyError: MOVED 3999 127.0.0.1:6381', 'ReplyError: MOVED 12182 10.0.0.4:7002'],
  'node port in use': [
    'Error: listen EADDRINUSE: address already in use :::3000',
    'Error: listen EADDRINUSE: address already in use 127.0.0.1:8080\n    at Server.setupListenHandle',
  ],
  'node permission': [
    "Error: EACCES: permission denied, mkdir '/root/.cache'",
    "Error: EACCES: permission denied, mkdir '/var/lib/app'",
  ],
  'node not a function': [
    'TypeError: foo is not a function',
    'TypeError: this.store.close is not a function',
    'TypeError: cb is not a function',
    'TypeError: app.listen is not a function',
    'TypeError: items.map is not a function',
  ],
  'node not defined': [
    'ReferenceError: window is not defined',
    'ReferenceError: process is not defined',
    'ReferenceError: __dirname is not defined',
    'ReferenceError: fetch is not defined',
    'ReferenceError: jest is not defined',
  ],
  'node http 502': [
    'Error: Request failed with status code 502',
    'Error: Request failed with status code 502\n    at settle (/x.js:1:2)',
  ],
  'node http 429': ['Error: Request failed with status code 429', 'Request failed with status code 429'],
  'pip no match': [
    'ERROR: No matching distribution found for torch==2.9.0',
    'ERROR: No matching distribution found for pandas<2',
    'ERROR: No matching distribution found for internal-lib',
  ],
  'python import name': [
    "ImportError: cannot import name 'soft_unicode' from 'markupsafe' (/usr/lib/python3/dist-packages/markupsafe/__init__.py)",
    "ImportError: cannot import name 'Mapping' from 'collections' (/opt/py/lib/python3.11/collections/__init__.py)",
  ],
  'python index': ['IndexError: list index out of range', 'IndexError: list index out of range'],
  'python int literal': [
    "ValueError: invalid literal for int() with base 10: 'abc'",
    "ValueError: invalid literal for int() with base 10: ''",
    "ValueError: invalid literal for int() with base 10: '3.7'",
  ],
  'python zero division': ['ZeroDivisionError: division by zero', 'ZeroDivisionError: division by zero'],
  'python recursion': [
    'RecursionError: maximum recursion depth exceeded',
    'RecursionError: maximum recursion depth exceeded',
  ],
  'git merge conflict': [
    'CONFLICT (content): Merge conflict in src/index.ts',
    'CONFLICT (content): Merge conflict in docs/read me.md',
    'CONFLICT (content): Merge conflict in package-lock.json',
  ],
  'git pathspec': [
    "error: pathspec 'feature/x' did not match any file(s) known to git",
    "error: pathspec 'v1.2.3' did not match any file(s) known to git",
  ],
  'git not a repository': [
    'fatal: not a git repository (or any of the parent directories): .git',
    'fatal: not a git repository (or any of the parent directories): .git',
  ],
  'rust mismatched': [
    'error[E0308]: mismatched types',
    'error[E0308]: mismatched types\n --> src/main.rs:4:18',
  ],
  'cargo no package': [
    'error: no matching package named `serde_jsn` found',
    'error: no matching package named `tokio2` found',
  ],
  'c implicit': [
    "main.c:4:3: error: implicit declaration of function 'foo' [-Wimplicit-function-declaration]",
    "lib/io.c:120:11: error: implicit declaration of function 'pread64' [-Wimplicit-function-declaration]",
  ],
  'c no header': [
    'src/a.c:1:10: fatal error: zlib.h: No such file or directory',
    'b.cpp:3:10: fatal error: boost/asio.hpp: No such file or directory',
    'x.c:7:10: fatal error: openssl/ssl.h: No such file or directory',
  ],
  'linker library': [
    '/usr/bin/ld: cannot find -lssl',
    '/usr/bin/ld: cannot find -lpq',
    '/usr/bin/ld: cannot find -lz',
  ],
  'make no target': [
    'make: *** No targets specified and no makefile found.  Stop.',
    'make[2]: *** No targets specified and no makefile found.  Stop.',
  ],
  'gradle task': [
    "Task 'publishAll' not found in root project 'shop'.",
    "Task 'lintt' not found in root project 'api'.",
  ],
  'terraform reference': [
    'Error: Reference to undeclared resource',
    'Error: Reference to undeclared resource\n\n  on main.tf line 14, in output "ip":',
  ],
  'ssl expired': [
    'Error: certificate has expired (CERT_HAS_EXPIRED)',
    'certificate has expired (CERT_HAS_EXPIRED)',
  ],
  'ffmpeg input': [
    'in.mp4: Invalid data found when processing input',
    '/data/clips/0042.mkv: Invalid data found when processing input',
  ],
  'disk quota': [
    "cp: error writing '/home/me/out/7.bin': Disk quota exceeded",
    "cp: error writing './part-11': Disk quota exceeded",
  ],
  'tool usage limit': [
    'codex is out of quota: You have hit your usage limit. Try again in 3 hours 12 minutes.',
    'codex is out of quota: You have hit your usage limit. Try again in 41 minutes.',
  ],
  'exit 137': ['`make -j8` ended with exit code 137.', '`node a.mjs --n 4` ended with exit code 137.'],
  'exit 2': ['`make -j8` ended with exit code 2.', '`tsc -b` ended with exit code 2.'],
  seeds: ['Error: sample 12 diverged after 1.5e6 steps', 'Error: sample 9 diverged after 20 steps'],
};
