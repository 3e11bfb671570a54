"""The same job in other frameworks, each as its documentation teaches, one file per framework."""
