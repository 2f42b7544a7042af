"""What people see of plans and nodes: pages, drawings, comparisons, help, the editor's schema."""
